/*
 * What the addon's files share: one agent per Node environment, and reading arguments. The one
 * thing to know: a helper that returns false has thrown; its caller returns NULL at once.
 */
#ifndef MP_ADDON_H
#define MP_ADDON_H

#include "platform.h"

#include <node_api.h>
#include <stddef.h>

/* One Node environment: the main thread's or a worker's. Freed by its last cleanup hook. */
struct mp_agent {
  napi_env env;
  struct mp_waiter *waiter;      /* NULL when not started */
  napi_threadsafe_function tsfn; /* valid while `waiter` is not NULL, unless `tsfn_closed` */
  bool tsfn_closed;              /* written by the waiter thread; read after joining it */
  napi_threadsafe_function exits; /* hears of the ends of children; NULL when not started */
};

/* Checks a napi_status: on failure throws, unless something is thrown already, and returns. */
#define MP_TRY(env, call, failure)                   \
  do {                                               \
    napi_status mp_status_ = (call);                 \
    if (mp_status_ != napi_ok) {                     \
      mp_throw_status((env), mp_status_, #call);     \
      return failure;                                \
    }                                                \
  } while (0)

void mp_throw_status(napi_env env, napi_status status, const char *call);

/* One call from JavaScript. */
struct mp_call {
  napi_env env;
  const char *name;
  struct mp_agent *agent;
  napi_value argv[4];
};

bool mp_call_begin(struct mp_call *call, napi_env env, napi_callback_info info, const char *name);

/* Throws an Error whose code is the name of the errno. `step` may be NULL. */
void mp_throw_errno(const struct mp_call *call, int error, const char *step);
void mp_throw_type(const struct mp_call *call, const char *argument, const char *expected);

/* An integer from `min` to `max`. */
bool mp_arg_integer(const struct mp_call *call, size_t i, const char *argument, uint64_t min,
                    uint64_t max, uint64_t *out);
bool mp_arg_slot(const struct mp_call *call, size_t i, uint32_t *out);
bool mp_arg_pid(const struct mp_call *call, size_t i, int *out);

/* The address of a word, given by its index. */
bool mp_arg_word(const struct mp_call *call, size_t i, const char *argument, uint32_t **out);

/* What a word holds: an Int32Array's element or a Uint32Array's, taken modulo 2^32. */
bool mp_arg_value(const struct mp_call *call, size_t i, const char *argument, uint32_t *out);

/* Milliseconds, cut to one slice: no call may keep a thread from Node for longer. */
bool mp_arg_slice(const struct mp_call *call, size_t i, const char *argument, double *out);

/* Results; NULL on failure. */
napi_value mp_boolean(napi_env env, bool value);
napi_value mp_number(napi_env env, double value);

/* One name of the exports. */
#define MP_FUNCTION(js_name, callback, agent) \
  {.utf8name = (js_name), .method = (callback), .attributes = napi_enumerable, .data = (agent)}

/* Each adds its functions to the exports; false when that threw. */
bool mp_define_session(struct mp_agent *agent, napi_value exports);
bool mp_define_parking(struct mp_agent *agent, napi_value exports);
bool mp_define_liveness(struct mp_agent *agent, napi_value exports);
bool mp_define_named(struct mp_agent *agent, napi_value exports);
bool mp_define_run(struct mp_agent *agent, napi_value exports);
bool mp_define_forkserver(struct mp_agent *agent, napi_value exports);
bool mp_define_exits(struct mp_agent *agent, napi_value exports);

/* Stops this agent's waiter thread, if there is one. Callable from cleanup hooks. */
void mp_agent_stop_waiter(struct mp_agent *agent);

#endif
