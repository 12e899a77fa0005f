/*
 * The ends of children that libuv does not know, told to JavaScript from the event loop. The one
 * thing to know: the death watch calls back with a pid alone, on its own thread, so a table here
 * says whose child that is; the mutex keeps an agent from ending while it is being told.
 */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* A child of an agent that has not been seen to end. */
struct child {
  int pid;
  struct mp_agent *agent;
  struct child *next;
};

static struct {
  pthread_mutex_t mutex;
  struct child *children;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Takes the first of that pid and agent (0, NULL: any) out of the table. Caller holds the mutex. */
static struct child *take(int pid, const struct mp_agent *agent) {
  for (struct child **link = &state.children; *link != NULL; link = &(*link)->next) {
    struct child *child = *link;
    if ((pid != 0 && child->pid != pid) || (agent != NULL && child->agent != agent)) continue;
    *link = child->next;
    return child;
  }
  return NULL;
}

/* On the watch thread. */
static bool on_death(int pid) {
  (void)pthread_mutex_lock(&state.mutex);
  struct child *child = take(pid, NULL);
  /* Refused when it is closing: the agent is ending, and listens no more. */
  if (child != NULL && napi_call_threadsafe_function(child->agent->exits, child,
                                                     napi_tsfn_nonblocking) != napi_ok) {
    free(child);
  }
  (void)pthread_mutex_unlock(&state.mutex);
  return true;
}

/* On the agent's own thread; `env` is NULL at teardown. */
static void deliver(napi_env env, napi_value callback, void *context, void *data) {
  (void)context;
  struct child *child = data;
  const int pid = child->pid;
  free(child);
  if (env == NULL || callback == NULL) return;
  napi_value receiver, argument;
  if (napi_get_undefined(env, &receiver) != napi_ok) return;
  if (napi_create_int32(env, pid, &argument) != napi_ok) return;
  if (napi_call_function(env, receiver, callback, 1, &argument, NULL) == napi_ok) return;
  /* Node would only warn of it (DEP0168); it is an uncaught exception like any other. */
  bool pending = false;
  napi_value error;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    /* SAFETY: fails only where JavaScript cannot run any more. */
    (void)napi_fatal_exception(env, error);
  }
}

/* Before Node frees the function: nobody calls it from here on. */
static void forget_all(void *argument) {
  struct mp_agent *agent = argument;
  (void)pthread_mutex_lock(&state.mutex);
  for (struct child *child; (child = take(0, agent)) != NULL;) free(child);
  (void)pthread_mutex_unlock(&state.mutex);
}

static napi_value exits_start(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "exitsStart") || call.agent->exits != NULL) return NULL;
  napi_valuetype type;
  MP_TRY(env, napi_typeof(env, call.argv[0], &type), NULL);
  if (type != napi_function) {
    mp_throw_type(&call, "callback", "a function");
    return NULL;
  }
  napi_value name;
  MP_TRY(env, napi_create_string_utf8(env, "mp:exits", NAPI_AUTO_LENGTH, &name), NULL);
  napi_threadsafe_function exits;
  MP_TRY(env,
         napi_create_threadsafe_function(env, call.argv[0], NULL, name, 0, 1, NULL, NULL, NULL,
                                         deliver, &exits),
         NULL);
  MP_TRY(env, napi_unref_threadsafe_function(env, exits), NULL);
  /* Added after the function was made, so it runs before Node frees that. */
  MP_TRY(env, napi_add_env_cleanup_hook(env, forget_all, call.agent), NULL);
  call.agent->exits = exits;
  return NULL;
}

static bool need_start(const struct mp_call *call) {
  if (call->agent->exits != NULL) return true;
  mp_throw_errno(call, EINVAL, "exitsStart first");
  return false;
}

static napi_value exits_watch(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int pid;
  if (!mp_call_begin(&call, env, info, "exitsWatch") || !mp_arg_pid(&call, 0, &pid) ||
      !need_start(&call)) {
    return NULL;
  }
  struct child *child = malloc(sizeof *child);
  if (child == NULL) {
    mp_throw_errno(&call, ENOMEM, NULL);
    return NULL;
  }
  (void)pthread_mutex_lock(&state.mutex);
  *child = (struct child){.pid = pid, .agent = call.agent, .next = state.children};
  state.children = child;
  (void)pthread_mutex_unlock(&state.mutex);
  /* SYNC: in the table first: its end may be told before this returns. */
  uint64_t id;
  int result = mp_watch_add(pid, on_death, &id);
  if (result > 0) return mp_boolean(env, true);
  (void)pthread_mutex_lock(&state.mutex);
  free(take(pid, call.agent));
  (void)pthread_mutex_unlock(&state.mutex);
  if (result == 0) return mp_boolean(env, false);
  mp_throw_errno(&call, result, "pidfd_open");
  return NULL;
}

static napi_value exits_ref(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "exitsRef") || !need_start(&call)) return NULL;
  MP_TRY(env, napi_ref_threadsafe_function(env, call.agent->exits), NULL);
  return NULL;
}

static napi_value exits_unref(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "exitsUnref") || !need_start(&call)) return NULL;
  MP_TRY(env, napi_unref_threadsafe_function(env, call.agent->exits), NULL);
  return NULL;
}

bool mp_define_exits(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("exitsStart", exits_start, agent),
    MP_FUNCTION("exitsWatch", exits_watch, agent),
    MP_FUNCTION("exitsRef", exits_ref, agent),
    MP_FUNCTION("exitsUnref", exits_unref, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
