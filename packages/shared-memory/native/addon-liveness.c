/*
 * Who is alive, for JavaScript. The one thing to know: a slot and a claim belong to the agent that
 * took them and end with it, by its cleanup hook; with the process, by the kernel.
 */
#include "addon.h"
#include "session.h"

#include <errno.h>

/* What an errno of the session's slot functions means. */
static const char *slot_step(int error) {
  switch (error) {
    case -ENOTCONN:
      return "setLayout first";
    case -ERANGE:
      return "no such slot";
    case -EBUSY:
      return "somebody holds the slot";
    case -EPERM:
      return "not this agent's";
    default:
      return "fcntl F_OFD_SETLK";
  }
}

static napi_value own(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t slot;
  if (!mp_call_begin(&call, env, info, "own") || !mp_arg_slot(&call, 0, &slot)) return NULL;
  int error = mp_session_own(slot, call.agent);
  if (error < 0) mp_throw_errno(&call, error, slot_step(error));
  return NULL;
}

static napi_value disown(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t slot;
  if (!mp_call_begin(&call, env, info, "disown") || !mp_arg_slot(&call, 0, &slot)) return NULL;
  int error = mp_session_disown(slot, call.agent);
  if (error < 0) mp_throw_errno(&call, error, slot_step(error));
  return NULL;
}

static napi_value probe(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t slot;
  if (!mp_call_begin(&call, env, info, "probe") || !mp_arg_slot(&call, 0, &slot)) return NULL;
  int result = mp_session_probe(slot);
  if (result >= 0) return mp_boolean(env, result == 1);
  mp_throw_errno(&call, result, slot_step(result));
  return NULL;
}

static napi_value claim(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t slot;
  if (!mp_call_begin(&call, env, info, "claim") || !mp_arg_slot(&call, 0, &slot)) return NULL;
  int result = mp_session_claim(slot, call.agent);
  if (result >= 0) return mp_boolean(env, result == 1);
  mp_throw_errno(&call, result, slot_step(result));
  return NULL;
}

static napi_value unclaim(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t slot;
  if (!mp_call_begin(&call, env, info, "unclaim") || !mp_arg_slot(&call, 0, &slot)) return NULL;
  int error = mp_session_unclaim(slot, call.agent);
  if (error < 0) mp_throw_errno(&call, error, slot_step(error));
  return NULL;
}

static napi_value watch(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int pid;
  if (!mp_call_begin(&call, env, info, "watch") || !mp_arg_pid(&call, 0, &pid)) return NULL;
  uint64_t id;
  int result = mp_session_watch(pid, &id);
  if (result > 0) return mp_number(env, (double)id);
  if (result < 0) {
    mp_throw_errno(&call, result, "pidfd_open");
    return NULL;
  }
  napi_value null;
  MP_TRY(env, napi_get_null(env, &null), NULL);
  return null;
}

/* Whether the caller gave argument `i`. */
static bool given(const struct mp_call *call, size_t i, bool *out) {
  napi_valuetype type;
  MP_TRY(call->env, napi_typeof(call->env, call->argv[i], &type), false);
  *out = type != napi_undefined;
  return true;
}

static napi_value unwatch(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint64_t id;
  if (!mp_call_begin(&call, env, info, "unwatch") ||
      !mp_arg_integer(&call, 0, "watch", 0, (uint64_t)1 << 48, &id)) {
    return NULL;
  }
  int error = mp_watch_remove(id);
  if (error < 0) mp_throw_errno(&call, error, NULL);
  return NULL;
}

static napi_value die_with_parent(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int pid;
  bool has_signal;
  bool use_signal = false;
  if (!mp_call_begin(&call, env, info, "dieWithParent") || !mp_arg_pid(&call, 0, &pid) ||
      !given(&call, 1, &has_signal)) {
    return NULL;
  }
  if (has_signal && napi_get_value_bool(env, call.argv[1], &use_signal) != napi_ok) {
    mp_throw_type(&call, "useSignal", "a boolean");
    return NULL;
  }
  int error = mp_die_with_parent(pid, use_signal);
  if (error < 0) mp_throw_errno(&call, error, NULL);
  return NULL;
}

static napi_value tell_interrupt(napi_env env, napi_callback_info info) {
  struct mp_call call;
  bool is_more;
  if (!mp_call_begin(&call, env, info, "tellInterrupt")) return NULL;
  if (napi_get_value_bool(env, call.argv[0], &is_more) != napi_ok) {
    mp_throw_type(&call, "isMore", "a boolean");
    return NULL;
  }
  mp_tell_interrupt(is_more ? 1 : -1);
  return NULL;
}

/* Sets a property to a number, or to null for -1. */
static bool set_number(napi_env env, napi_value object, const char *name, int value) {
  napi_value number;
  if (value < 0) {
    MP_TRY(env, napi_get_null(env, &number), false);
  } else {
    MP_TRY(env, napi_create_int32(env, value, &number), false);
  }
  MP_TRY(env, napi_set_named_property(env, object, name, number), false);
  return true;
}

static napi_value wait_exit(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int pid;
  double timeout_ms;
  if (!mp_call_begin(&call, env, info, "waitExit") || !mp_arg_pid(&call, 0, &pid) ||
      !mp_arg_slice(&call, 1, "timeoutMs", &timeout_ms)) {
    return NULL;
  }
  struct mp_exit ended;
  int result = mp_wait_exit(pid, timeout_ms, &ended);
  if (result < 0) {
    mp_throw_errno(&call, result, "waitid");
    return NULL;
  }
  napi_value value;
  if (result == 0) {
    MP_TRY(env, napi_get_null(env, &value), NULL);
    return value;
  }
  MP_TRY(env, napi_create_object(env, &value), NULL);
  if (!set_number(env, value, "code", ended.code)) return NULL;
  if (!set_number(env, value, "signal", ended.signal)) return NULL;
  return value;
}

static napi_value now(napi_env env, napi_callback_info info) {
  (void)info;
  return mp_number(env, mp_now());
}

static napi_value pid(napi_env env, napi_callback_info info) {
  (void)info;
  return mp_number(env, mp_pid());
}

bool mp_define_liveness(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("own", own, agent),
    MP_FUNCTION("disown", disown, agent),
    MP_FUNCTION("probe", probe, agent),
    MP_FUNCTION("claim", claim, agent),
    MP_FUNCTION("unclaim", unclaim, agent),
    MP_FUNCTION("watch", watch, agent),
    MP_FUNCTION("unwatch", unwatch, agent),
    MP_FUNCTION("dieWithParent", die_with_parent, agent),
    MP_FUNCTION("tellInterrupt", tell_interrupt, agent),
    MP_FUNCTION("waitExit", wait_exit, agent),
    MP_FUNCTION("now", now, agent),
    MP_FUNCTION("pid", pid, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
