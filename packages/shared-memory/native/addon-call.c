/*
 * Arguments in, results and errors out. The one thing to know: messages name the call and the
 * argument, because the caller of a word index has nothing else to go by.
 */
#include "addon.h"
#include "errors.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* No native wait is longer: terminate() and exit() of a blocked thread wait for it. */
static const double SLICE_MS = 100;

void mp_throw_status(napi_env env, napi_status status, const char *call) {
  bool pending = false;
  /* SAFETY: with a valid env this cannot fail; were it to, throwing is what remains. */
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return;
  char message[256];
  (void)snprintf(message, sizeof message, "%s: napi_status %d", call, (int)status);
  /* SAFETY: fails only where JavaScript cannot run any more, and then nobody is there to catch. */
  (void)napi_throw_error(env, "ERR_MP_NATIVE", message);
}

void mp_throw_errno(const struct mp_call *call, int error, const char *step) {
  int positive = error < 0 ? -error : error;
  const char *code = mp_errno_name(positive);
  char number[16];
  (void)snprintf(number, sizeof number, "E%d", positive);
  char message[256];
  (void)snprintf(message, sizeof message, "%s: %s%s%s (%s)", call->name, step == NULL ? "" : step,
                 step == NULL ? "" : ": ", strerror(positive), code == NULL ? number : code);
  MP_TRY(call->env, napi_throw_error(call->env, code == NULL ? number : code, message), );
}

void mp_throw_type(const struct mp_call *call, const char *argument, const char *expected) {
  char message[160];
  (void)snprintf(message, sizeof message, "%s: Expected `%s` to be %s", call->name, argument,
                 expected);
  MP_TRY(call->env, napi_throw_type_error(call->env, "ERR_INVALID_ARG_TYPE", message), );
}

bool mp_call_begin(struct mp_call *call, napi_env env, napi_callback_info info, const char *name) {
  call->env = env;
  call->name = name;
  size_t count = sizeof call->argv / sizeof *call->argv; /* missing ones become undefined */
  void *data = NULL;
  MP_TRY(env, napi_get_cb_info(env, info, &count, call->argv, NULL, &data), false);
  call->agent = data;
  return true;
}

static bool arg_double(const struct mp_call *call, size_t i, const char *argument, double *out) {
  napi_status status = napi_get_value_double(call->env, call->argv[i], out);
  if (status == napi_number_expected) {
    mp_throw_type(call, argument, "a number");
    return false;
  }
  MP_TRY(call->env, status, false);
  return true;
}

bool mp_arg_integer(const struct mp_call *call, size_t i, const char *argument, uint64_t min,
                    uint64_t max, uint64_t *out) {
  double value;
  if (!arg_double(call, i, argument, &value)) return false;
  if (!(value >= (double)min && value <= (double)max) ||
      value != (double)(uint64_t)value) {
    char message[192];
    (void)snprintf(message, sizeof message,
                   "%s: Expected `%s` to be an integer from %.0f to %.0f, got `%.17g`", call->name,
                   argument, (double)min, (double)max, value);
    MP_TRY(call->env, napi_throw_range_error(call->env, "ERR_OUT_OF_RANGE", message), false);
    return false;
  }
  *out = (uint64_t)value;
  return true;
}

bool mp_arg_slot(const struct mp_call *call, size_t i, uint32_t *out) {
  uint64_t value;
  if (!mp_arg_integer(call, i, "slot", 0, UINT32_MAX, &value)) return false;
  *out = (uint32_t)value;
  return true;
}

bool mp_arg_pid(const struct mp_call *call, size_t i, int *out) {
  uint64_t value;
  if (!mp_arg_integer(call, i, "pid", 1, INT32_MAX, &value)) return false;
  *out = (int)value;
  return true;
}

bool mp_arg_word(const struct mp_call *call, size_t i, const char *argument, uint32_t **out) {
  const struct mp_segment *segment = mp_session();
  if (segment == NULL) {
    mp_throw_errno(call, ENOTCONN, "create or attach first");
    return false;
  }
  uint64_t index;
  uint64_t last = segment->byte_length / sizeof(uint32_t) - 1;
  if (!mp_arg_integer(call, i, argument, 0, last, &index)) return false;
  *out = mp_session_word(index);
  return true;
}

bool mp_arg_value(const struct mp_call *call, size_t i, const char *argument, uint32_t *out) {
  int32_t value;
  napi_status status = napi_get_value_int32(call->env, call->argv[i], &value);
  if (status == napi_number_expected) {
    mp_throw_type(call, argument, "a number");
    return false;
  }
  MP_TRY(call->env, status, false);
  *out = (uint32_t)value;
  return true;
}

bool mp_arg_slice(const struct mp_call *call, size_t i, const char *argument, double *out) {
  double value;
  if (!arg_double(call, i, argument, &value)) return false;
  if (value != value) {
    mp_throw_type(call, argument, "a number, not NaN");
    return false;
  }
  *out = value < 0 ? 0 : value > SLICE_MS ? SLICE_MS : value;
  return true;
}

napi_value mp_boolean(napi_env env, bool value) {
  napi_value result;
  MP_TRY(env, napi_get_boolean(env, value, &result), NULL);
  return result;
}

napi_value mp_number(napi_env env, double value) {
  napi_value result;
  MP_TRY(env, napi_create_double(env, value, &result), NULL);
  return result;
}
