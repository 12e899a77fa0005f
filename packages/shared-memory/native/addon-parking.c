/*
 * Sleeping and waking, for JavaScript. The one thing to know: the waiter's cleanup hook is added
 * after its thread-safe function is created, so at teardown it runs before that function's own:
 * the thread has been joined by the time Node frees what it calls.
 */
#include "addon.h"
#include "session.h"

#include <errno.h>

static napi_value park(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t *word;
  uint32_t expected;
  double timeout_ms;
  if (!mp_call_begin(&call, env, info, "park") || !mp_arg_word(&call, 0, "word", &word) ||
      !mp_arg_value(&call, 1, "expected", &expected) ||
      !mp_arg_slice(&call, 2, "timeoutMs", &timeout_ms)) {
    return NULL;
  }
  int result = mp_park(word, expected, MP_MASK_SYNC, timeout_ms);
  if (result < 0) {
    mp_throw_errno(&call, result, "futex");
    return NULL;
  }
  return mp_number(env, result);
}

static napi_value spin(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t *word;
  uint32_t expected;
  double timeout_ms;
  if (!mp_call_begin(&call, env, info, "spin") || !mp_arg_word(&call, 0, "word", &word) ||
      !mp_arg_value(&call, 1, "expected", &expected) ||
      !mp_arg_slice(&call, 2, "timeoutMs", &timeout_ms)) {
    return NULL;
  }
  int result = mp_spin(word, expected, timeout_ms);
  if (result < 0) {
    mp_throw_errno(&call, result, "spin");
    return NULL;
  }
  return mp_number(env, result);
}

static napi_value wake(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t *word;
  uint64_t mask;
  if (!mp_call_begin(&call, env, info, "wake") || !mp_arg_word(&call, 0, "word", &word) ||
      !mp_arg_integer(&call, 1, "mask", 1, UINT32_MAX, &mask)) {
    return NULL;
  }
  int result = mp_wake(word, (uint32_t)mask);
  if (result < 0) mp_throw_errno(&call, result, "futex");
  return NULL;
}

static napi_value ring_all(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "ringAll")) return NULL;
  int error = mp_session_ring_all();
  if (error < 0) mp_throw_errno(&call, error, "setLayout first");
  return NULL;
}

/* On the waiter thread. */
static bool queue_ring(void *context) {
  struct mp_agent *agent = context;
  napi_status status = napi_call_threadsafe_function(agent->tsfn, NULL, napi_tsfn_nonblocking);
  /* Full: a call is queued that has not begun; it will see what this one would have seen. */
  if (status == napi_ok || status == napi_queue_full) return true;
  /* Closing: our reference went with the answer; the function must not be touched again. */
  agent->tsfn_closed = true;
  return false;
}

/* On the agent's own thread. */
static void deliver_ring(napi_env env, napi_value callback, void *context, void *data) {
  (void)context, (void)data;
  if (env == NULL || callback == NULL) return; /* teardown: there is nobody to call */
  napi_value receiver;
  napi_status status = napi_get_undefined(env, &receiver);
  if (status == napi_ok) status = napi_call_function(env, receiver, callback, 0, NULL, NULL);
  if (status == napi_ok) return;
  /* Node would only warn of it (DEP0168); it is an uncaught exception like any other. */
  bool pending = false;
  napi_value error;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    /* SAFETY: fails only where JavaScript cannot run any more. */
    (void)napi_fatal_exception(env, error);
  }
  /* else: the worker is being terminated in the callback */
}

void mp_agent_stop_waiter(struct mp_agent *agent) {
  if (agent->waiter == NULL) return;
  mp_waiter_stop(agent->waiter);
  agent->waiter = NULL;
  if (agent->tsfn_closed) return;
  if (napi_release_threadsafe_function(agent->tsfn, napi_tsfn_abort) != napi_ok) {
    napi_fatal_error("waiterStop", NAPI_AUTO_LENGTH, "its function was released before it",
                     NAPI_AUTO_LENGTH);
  }
}

static void stop_waiter_hook(void *argument) {
  mp_agent_stop_waiter(argument);
}

/* Starts the thread; agent->tsfn is there. */
static bool start_thread(const struct mp_call *call, uint32_t *bell, uint32_t *parked,
                         uint32_t seen) {
  struct mp_agent *agent = call->agent;
  MP_TRY(call->env, napi_unref_threadsafe_function(call->env, agent->tsfn), false);
  MP_TRY(call->env, napi_add_env_cleanup_hook(call->env, stop_waiter_hook, agent), false);
  int error = mp_waiter_start(bell, parked, seen, queue_ring, agent, &agent->waiter);
  if (error == 0) return true;
  mp_throw_errno(call, error, "pthread_create");
  MP_TRY(call->env, napi_remove_env_cleanup_hook(call->env, stop_waiter_hook, agent), false);
  return false;
}

static napi_value waiter_start(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t *bell, *parked;
  uint32_t seen;
  if (!mp_call_begin(&call, env, info, "waiterStart") ||
      !mp_arg_word(&call, 0, "bellWord", &bell) || !mp_arg_word(&call, 1, "parkedWord", &parked) ||
      !mp_arg_value(&call, 2, "seen", &seen)) {
    return NULL;
  }
  napi_valuetype type;
  MP_TRY(env, napi_typeof(env, call.argv[3], &type), NULL);
  if (type != napi_function) {
    mp_throw_type(&call, "callback", "a function");
    return NULL;
  }
  struct mp_agent *agent = call.agent;
  if (agent->waiter != NULL) {
    mp_throw_errno(&call, EALREADY, NULL);
    return NULL;
  }
  napi_value name;
  MP_TRY(env, napi_create_string_utf8(env, "mp:waiter", NAPI_AUTO_LENGTH, &name), NULL);
  MP_TRY(env,
         napi_create_threadsafe_function(env, call.argv[3], NULL, name, 1, 1, NULL, NULL, NULL,
                                         deliver_ring, &agent->tsfn),
         NULL);
  agent->tsfn_closed = false;
  if (!start_thread(&call, bell, parked, seen)) {
    MP_TRY(env, napi_release_threadsafe_function(agent->tsfn, napi_tsfn_abort), NULL);
  }
  return NULL;
}

/* Throws unless there is a waiter. */
static bool need_waiter(const struct mp_call *call) {
  if (call->agent->waiter != NULL) return true;
  mp_throw_errno(call, EINVAL, "waiterStart first");
  return false;
}

static napi_value waiter_ref(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "waiterRef") || !need_waiter(&call)) return NULL;
  MP_TRY(env, napi_ref_threadsafe_function(env, call.agent->tsfn), NULL);
  return NULL;
}

static napi_value waiter_unref(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "waiterUnref") || !need_waiter(&call)) return NULL;
  MP_TRY(env, napi_unref_threadsafe_function(env, call.agent->tsfn), NULL);
  return NULL;
}

static napi_value waiter_stop(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "waiterStop") || call.agent->waiter == NULL) return NULL;
  MP_TRY(env, napi_remove_env_cleanup_hook(env, stop_waiter_hook, call.agent), NULL);
  mp_agent_stop_waiter(call.agent);
  return NULL;
}

static napi_value poll_fd(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint64_t fd, interest;
  double timeout_ms;
  if (!mp_call_begin(&call, env, info, "poll") ||
      !mp_arg_integer(&call, 0, "fd", 0, INT32_MAX, &fd) ||
      !mp_arg_integer(&call, 1, "interest", 0,
                      MP_POLL_READABLE | MP_POLL_WRITABLE | MP_POLL_HUNG_UP, &interest) ||
      !mp_arg_slice(&call, 2, "timeoutMs", &timeout_ms)) {
    return NULL;
  }
  int result = mp_poll((int)fd, (uint32_t)interest, timeout_ms);
  if (result < 0) {
    mp_throw_errno(&call, result, "ppoll");
    return NULL;
  }
  return mp_number(env, result);
}

bool mp_define_parking(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("park", park, agent),
    MP_FUNCTION("spin", spin, agent),
    MP_FUNCTION("wake", wake, agent),
    MP_FUNCTION("ringAll", ring_all, agent),
    MP_FUNCTION("waiterStart", waiter_start, agent),
    MP_FUNCTION("waiterRef", waiter_ref, agent),
    MP_FUNCTION("waiterUnref", waiter_unref, agent),
    MP_FUNCTION("waiterStop", waiter_stop, agent),
    MP_FUNCTION("poll", poll_fd, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
