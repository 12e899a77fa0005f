/* Names of errno values, as Node spells them. */
#ifndef MP_ERRORS_H
#define MP_ERRORS_H

/* The name of a (positive) errno, or NULL for one that no call of ours returns. */
const char *mp_errno_name(int error);

#endif
