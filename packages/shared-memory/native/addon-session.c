/*
 * The session and its layout, for JavaScript. The one thing to know: a view is an ArrayBuffer over
 * the mapping itself; collecting it frees nothing, because the mapping outlives every environment.
 */
#include "addon.h"
#include "session.h"

#include <errno.h>
#include <string.h>

/* JavaScript's Number.MAX_SAFE_INTEGER. */
static const uint64_t MAX_SAFE = (UINT64_C(1) << 53) - 1;

/* Throws unless there is a session. */
static const struct mp_segment *need_session(const struct mp_call *call) {
  const struct mp_segment *segment = mp_session();
  if (segment == NULL) mp_throw_errno(call, ENOTCONN, "create or attach first");
  return segment;
}

static bool arg_fd(const struct mp_call *call, size_t i, int *out) {
  uint64_t value;
  if (!mp_arg_integer(call, i, "fd", 0, INT32_MAX, &value)) return false;
  *out = (int)value;
  return true;
}

static napi_value create(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint64_t byte_length;
  if (!mp_call_begin(&call, env, info, "create")) return NULL;
  if (!mp_arg_integer(&call, 0, "byteLength", sizeof(uint32_t), MAX_SAFE, &byte_length)) return NULL;
  const char *step = NULL;
  int error = mp_session_create(byte_length, &step);
  if (error < 0) mp_throw_errno(&call, error, step);
  return NULL;
}

static napi_value attach(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int fd;
  if (!mp_call_begin(&call, env, info, "attach") || !arg_fd(&call, 0, &fd)) return NULL;
  const char *step = NULL;
  int error = mp_session_attach(fd, &step);
  if (error < 0) mp_throw_errno(&call, error, step);
  return NULL;
}

static napi_value attach_sibling(napi_env env, napi_callback_info info) {
  struct mp_call call;
  int pid, fd;
  if (!mp_call_begin(&call, env, info, "attachSibling")) return NULL;
  if (!mp_arg_pid(&call, 0, &pid) || !arg_fd(&call, 1, &fd)) return NULL;
  const char *step = NULL;
  int error = mp_session_attach_sibling(pid, fd, &step);
  if (error < 0) mp_throw_errno(&call, error, step);
  return NULL;
}

static napi_value attached(napi_env env, napi_callback_info info) {
  (void)info;
  return mp_boolean(env, mp_session() != NULL);
}

static napi_value fd(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "fd")) return NULL;
  const struct mp_segment *segment = need_session(&call);
  return segment == NULL ? NULL : mp_number(env, segment->fd);
}

static napi_value byte_length(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "byteLength")) return NULL;
  const struct mp_segment *segment = need_session(&call);
  return segment == NULL ? NULL : mp_number(env, (double)segment->byte_length);
}

/* Reads (byteOffset, byteLength), which must lie in the mapping. */
static bool arg_range(const struct mp_call *call, const struct mp_segment *segment,
                      uint64_t *offset, uint64_t *length) {
  return mp_arg_integer(call, 0, "byteOffset", 0, segment->byte_length, offset) &&
         mp_arg_integer(call, 1, "byteLength", 0, segment->byte_length - *offset, length);
}

/* node_api_create_external_sharedarraybuffer: in newer Node 22 and in 24 and 26, behind no version
 * of Node-API yet, so it is looked up by name. */
typedef napi_status (*create_shared_fn)(napi_env env, void *data, size_t byte_length,
                                        void (*finalize)(void *data, void *hint), void *hint,
                                        napi_value *result);

static create_shared_fn find_create_shared(void) {
  void *symbol = mp_symbol("node_api_create_external_sharedarraybuffer");
  create_shared_fn function = NULL;
  /* SAFETY: POSIX guarantees that a function's address fits a pointer to void; C has no cast for it. */
  memcpy(&function, &symbol, sizeof function);
  return function;
}

/* SAFETY, of both kinds of view:
 * - the range was checked against the mapping, which has a fixed, sealed length;
 * - the mapping is never removed, so no finalizer is needed. */
static napi_value make_view(napi_env env, napi_callback_info info, const char *name,
                            create_shared_fn create_shared) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, name)) return NULL;
  const struct mp_segment *segment = need_session(&call);
  uint64_t offset, length;
  if (segment == NULL || !arg_range(&call, segment, &offset, &length)) return NULL;
  napi_value result;
  void *start = segment->base + offset;
  napi_status status =
    create_shared != NULL
      ? create_shared(env, start, length, NULL, NULL, &result)
      : napi_create_external_arraybuffer(env, start, length, NULL, NULL, &result);
  if (status == napi_no_external_buffers_allowed) {
    MP_TRY(env,
           napi_throw_error(env, "ERR_MP_UNSUPPORTED",
                            "view: this JavaScript engine refuses memory from outside its sandbox "
                            "(Electron, or a V8 built with pointer compression): shared memory "
                            "cannot be used here"),
           NULL);
    return NULL;
  }
  MP_TRY(env, status, NULL);
  return result;
}

static napi_value view(napi_env env, napi_callback_info info) {
  return make_view(env, info, "view", NULL);
}

/* The engine counts the bytes of an ArrayBuffer as memory that a collection might free, so a large
 * one makes it collect all the time; those of a SharedArrayBuffer it does not count. */
static napi_value shared_view(napi_env env, napi_callback_info info) {
  return make_view(env, info, "sharedView", find_create_shared());
}

static napi_value detach(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "detach")) return NULL;
  bool is_buffer = false;
  MP_TRY(env, napi_is_arraybuffer(env, call.argv[0], &is_buffer), NULL);
  if (!is_buffer) {
    mp_throw_type(&call, "arrayBuffer", "an ArrayBuffer");
    return NULL;
  }
  MP_TRY(env, napi_detach_arraybuffer(env, call.argv[0]), NULL);
  return NULL;
}

static napi_value punch(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "punch")) return NULL;
  const struct mp_segment *segment = need_session(&call);
  uint64_t offset, length;
  if (segment == NULL || !arg_range(&call, segment, &offset, &length)) return NULL;
  int error = length == 0 ? 0 : mp_segment_punch(segment, offset, length);
  if (error < 0) mp_throw_errno(&call, error, "fallocate");
  return NULL;
}

static napi_value set_layout(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "setLayout")) return NULL;
  napi_valuetype type;
  MP_TRY(env, napi_typeof(env, call.argv[0], &type), NULL);
  if (type != napi_object) {
    mp_throw_type(&call, "layout", "an object");
    return NULL;
  }
  struct mp_layout layout;
  const struct {
    const char *name;
    uint32_t *field;
  } fields[] = {
    {"slotsWord", &layout.slots_word},   {"slotWords", &layout.slot_words},
    {"slotCount", &layout.slot_count},   {"stateWord", &layout.state_word},
    {"pidWord", &layout.pid_word},       {"bellWord", &layout.bell_word},
    {"parkedWord", &layout.parked_word}, {"deathsWord", &layout.deaths_word},
    {"goneState", &layout.gone_state},   {"liveState", &layout.live_state},
  };
  const napi_value object = call.argv[0];
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    uint64_t value;
    MP_TRY(env, napi_get_named_property(env, object, fields[i].name, &call.argv[0]), NULL);
    if (!mp_arg_integer(&call, 0, fields[i].name, 0, UINT32_MAX, &value)) return NULL;
    *fields[i].field = (uint32_t)value;
  }
  int error = mp_session_set_layout(&layout);
  if (error == -EINVAL) {
    mp_throw_errno(&call, error, "the layout does not fit, or is not the one set before");
  } else if (error < 0) {
    mp_throw_errno(&call, error, "create or attach first");
  }
  return NULL;
}

/* Memory that objects of the engine keep though it does not lie in its heap: what a collection might free. */
static napi_value charge(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "charge")) return NULL;
  int64_t change, total;
  napi_status status = napi_get_value_int64(env, call.argv[0], &change);
  if (status == napi_number_expected) {
    mp_throw_type(&call, "byteLength", "a number");
    return NULL;
  }
  MP_TRY(env, status, NULL);
  MP_TRY(env, napi_adjust_external_memory(env, change, &total), NULL);
  return NULL;
}

static napi_value keep_freed(napi_env env, napi_callback_info info) {
  struct mp_call call;
  if (!mp_call_begin(&call, env, info, "keepFreed")) return NULL;
  mp_keep_freed_memory();
  return NULL;
}

bool mp_define_session(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("create", create, agent),
    MP_FUNCTION("attach", attach, agent),
    MP_FUNCTION("attachSibling", attach_sibling, agent),
    MP_FUNCTION("attached", attached, agent),
    MP_FUNCTION("fd", fd, agent),
    MP_FUNCTION("byteLength", byte_length, agent),
    MP_FUNCTION("view", view, agent),
    MP_FUNCTION("sharedView", shared_view, agent),
    MP_FUNCTION("detach", detach, agent),
    MP_FUNCTION("punch", punch, agent),
    MP_FUNCTION("charge", charge, agent),
    MP_FUNCTION("keepFreed", keep_freed, agent),
    MP_FUNCTION("setLayout", set_layout, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
