/*
 * The fork server, for JavaScript. The one thing to know: `serve` returns in another process than
 * the one that called it; whatever there was in JavaScript is there in each of them.
 */
#include "addon.h"
#include "session.h"

#include <errno.h>

static bool arg_fd(const struct mp_call *call, size_t i, const char *name, int *out) {
  uint64_t value;
  if (!mp_arg_integer(call, i, name, 0, INT32_MAX, &value)) return false;
  *out = (int)value;
  return true;
}

static napi_value fork_begin(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int parent;
  if (!mp_call_begin(&call, env, info, "forkBegin") || !mp_arg_pid(&call, 0, &parent)) return NULL;
  mp_forkserver_begin(parent);
  return NULL;
}

static bool arg_text(const struct mp_call *call, size_t i, const char *name, char *text, size_t size,
                     size_t *length) {
  napi_status status = napi_get_value_string_utf8(call->env, call->argv[i], text, size, length);
  if (status == napi_string_expected) {
    mp_throw_type(call, name, "a string");
    return false;
  }
  MP_TRY(call->env, status, false);
  if (*length < size - 1) return true;
  mp_throw_errno(call, -EMSGSIZE, name);
  return false;
}

/*
 * SYNC: from the freeze to the copy nothing of the engine runs. It takes locks (the allocator's, when it compiles a
 * function or ends a job of the optimizer) whose holder may be frozen.
 */
static napi_value fork_serve(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int control, stock;
  static char ready[MP_READY_BYTES], text[MP_START_BYTES];
  size_t ready_length;
  napi_value result;
  if (!mp_call_begin(&call, env, info, "forkServe") || !arg_fd(&call, 0, "control", &control) ||
      !arg_fd(&call, 1, "stock", &stock) ||
      !arg_text(&call, 2, "ready", ready, sizeof ready, &ready_length)) {
    return NULL;
  }
  const char *why = mp_forkserver_prepare(control);
  if (why != NULL) {
    MP_TRY(env, napi_throw_error(env, "ERR_MP_CANNOT_FORK", why), NULL);
    return NULL;
  }
  int error = mp_forkserver_serve(control, stock, ready, ready_length, text);
  if (error == 0) error = mp_session_renew();
  if (error < 0) {
    mp_throw_errno(&call, error, NULL);
    return NULL;
  }
  MP_TRY(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result), NULL);
  return result;
}

static napi_value fork_learn(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  mp_forkserver_learn();
  return NULL;
}

static napi_value fork_revive(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  mp_forkserver_revive();
  return NULL;
}

/*
 * Has the engine give back memory that it keeps for later, with a collection: it believes for a moment that more than
 * it may have is allocated elsewhere. Where that does not move it, it keeps what it has.
 */
static napi_value fork_reduce(napi_env env, napi_callback_info info) {
  (void)info;
  static const int64_t MUCH = (int64_t)16 << 30;
  int64_t all;
  MP_TRY(env, napi_adjust_external_memory(env, MUCH, &all), NULL);
  MP_TRY(env, napi_adjust_external_memory(env, -MUCH, &all), NULL);
  return NULL;
}

static napi_value fork_pair(napi_env env, napi_callback_info info) {
  struct mp_call call;
  bool is_stream = false;
  if (!mp_call_begin(&call, env, info, "forkPair")) return NULL;
  if (napi_get_value_bool(env, call.argv[0], &is_stream) != napi_ok) {
    mp_throw_type(&call, "isStream", "a boolean");
    return NULL;
  }
  int ends[2];
  int error = mp_forkserver_pair(is_stream, ends);
  if (error < 0) {
    mp_throw_errno(&call, error, "socketpair");
    return NULL;
  }
  napi_value result;
  MP_TRY(env, napi_create_array_with_length(env, 2, &result), NULL);
  for (uint32_t i = 0; i < 2; i++) {
    napi_value number = mp_number(env, ends[i]);
    if (number == NULL) return NULL;
    MP_TRY(env, napi_set_element(env, result, i, number), NULL);
  }
  return result;
}

static napi_value fork_close(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int fd;
  if (!mp_call_begin(&call, env, info, "forkClose") || !arg_fd(&call, 0, "fd", &fd)) return NULL;
  int error = mp_forkserver_close(fd);
  if (error < 0) mp_throw_errno(&call, error, "close");
  return NULL;
}

/* Reads an array of descriptors. */
static bool arg_fds(const struct mp_call *call, size_t i, int *fds, uint32_t *count) {
  bool is_array = false;
  MP_TRY(call->env, napi_is_array(call->env, call->argv[i], &is_array), false);
  if (is_array) MP_TRY(call->env, napi_get_array_length(call->env, call->argv[i], count), false);
  if (!is_array || *count > MP_START_FDS) {
    mp_throw_type(call, "fds", "an array of at most 32 descriptors");
    return false;
  }
  for (uint32_t j = 0; j < *count; j++) {
    napi_value element;
    MP_TRY(call->env, napi_get_element(call->env, call->argv[i], j, &element), false);
    struct mp_call one = *call;
    one.argv[0] = element;
    if (!arg_fd(&one, 0, "fds", &fds[j])) return false;
  }
  return true;
}

static bool arg_offset(const struct mp_call *call, size_t i, const char *name, uint64_t *out) {
  uint32_t *word;
  if (!mp_arg_word(call, i, name, &word)) return false;
  *out = (uint64_t)((uint8_t *)word - mp_session()->base);
  return true;
}

static napi_value fork_ask(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int socket;
  uint64_t offset;
  char text[MP_START_BYTES];
  size_t length;
  int fds[MP_START_FDS];
  uint32_t count = 0;
  if (!mp_call_begin(&call, env, info, "forkAsk") || !arg_fd(&call, 0, "socket", &socket) ||
      !arg_offset(&call, 1, "pidWord", &offset) || !arg_fds(&call, 3, fds, &count)) {
    return NULL;
  }
  if (!arg_text(&call, 2, "text", text, sizeof text, &length)) return NULL;
  int error = mp_forkserver_ask(socket, offset, text, fds, count);
  if (error < 0) mp_throw_errno(&call, error, "sendmsg");
  return NULL;
}

static napi_value fork_stock(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int control;
  uint64_t offset;
  if (!mp_call_begin(&call, env, info, "forkStock") || !arg_fd(&call, 0, "control", &control) ||
      !arg_offset(&call, 1, "pidWord", &offset)) {
    return NULL;
  }
  int error = mp_forkserver_stock(control, offset, mp_session()->fd);
  if (error < 0) mp_throw_errno(&call, error, "sendmsg");
  return NULL;
}

/* Does not return; false when it cannot be done in this way. */
static napi_value fork_exit(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint64_t code;
  if (!mp_call_begin(&call, env, info, "forkExit") || !mp_arg_integer(&call, 0, "code", 0, 255, &code)) {
    return NULL;
  }
  /* Other threads that hold something of the session say so when they end, which they now would not. */
  if (mp_session_is_alone(call.agent)) (void)mp_quick_exit((int)code);
  return mp_boolean(env, false);
}

static napi_value reap(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int pid;
  if (!mp_call_begin(&call, env, info, "reap") || !mp_arg_pid(&call, 0, &pid)) return NULL;
  int error = mp_reap(pid);
  if (error < 0) mp_throw_errno(&call, error, "waitid");
  return NULL;
}

bool mp_define_forkserver(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("forkBegin", fork_begin, agent), MP_FUNCTION("forkServe", fork_serve, agent),
    MP_FUNCTION("forkPair", fork_pair, agent),   MP_FUNCTION("forkAsk", fork_ask, agent),
    MP_FUNCTION("forkExit", fork_exit, agent),   MP_FUNCTION("forkClose", fork_close, agent),
    MP_FUNCTION("reap", reap, agent),            MP_FUNCTION("forkRevive", fork_revive, agent),
    MP_FUNCTION("forkReduce", fork_reduce, agent), MP_FUNCTION("forkStock", fork_stock, agent),
    MP_FUNCTION("forkLearn", fork_learn, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
