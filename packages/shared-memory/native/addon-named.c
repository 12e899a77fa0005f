/*
 * Named blocks, for JavaScript. The one thing to know: a use is an external value, and it is freed
 * when JavaScript can reach neither it nor, by a WeakMap on the other side, the ArrayBuffer over
 * its memory. Only then are the addresses given back: work on a thread of libuv's that looks at
 * the buffer keeps it reachable, so not even that can meet memory that is not there.
 */
#include "addon.h"
#include "named.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static const uint64_t MAX_SAFE = (UINT64_C(1) << 53) - 1;

/* What an external value holds. */
struct use {
  struct mp_named *named;
  bool viewed;   /* an ArrayBuffer was made over it */
  bool detached; /* and emptied by us, so it does not show the memory any more */
};

static void free_use(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct use *use = data;
  /* A buffer that was transferred shows the memory under another name: its addresses must stay. */
  mp_named_free(use->named, !use->viewed || use->detached);
  free(use);
}

static napi_value wrap(const struct mp_call *call, struct mp_named *named) {
  struct use *use = calloc(1, sizeof *use);
  napi_value result;
  if (use == NULL) {
    mp_named_free(named, true);
    mp_throw_errno(call, ENOMEM, NULL);
    return NULL;
  }
  use->named = named;
  napi_status status = napi_create_external(call->env, use, free_use, NULL, &result);
  if (status != napi_ok) free_use(call->env, use, NULL);
  MP_TRY(call->env, status, NULL);
  return result;
}

/* Reads a path into `out`, of PATH_MAX bytes. */
static bool arg_path(const struct mp_call *call, size_t i, const char *argument, char *out) {
  size_t length;
  napi_status status =
    napi_get_value_string_utf8(call->env, call->argv[i], out, PATH_MAX, &length);
  if (status == napi_string_expected) {
    mp_throw_type(call, argument, "a string");
    return false;
  }
  MP_TRY(call->env, status, false);
  if (length < PATH_MAX - 1) return true;
  mp_throw_errno(call, ENAMETOOLONG, argument);
  return false;
}

static bool arg_use(const struct mp_call *call, size_t i, struct use **out) {
  void *data;
  napi_status status = napi_get_value_external(call->env, call->argv[i], &data);
  if (status == napi_invalid_arg) {
    mp_throw_type(call, "use", "what namedCreate() or namedOpen() gave");
    return false;
  }
  MP_TRY(call->env, status, false);
  *out = data;
  return true;
}

static napi_value named_create(napi_env env, napi_callback_info info) {
  struct mp_call call;
  char folder[PATH_MAX], path[PATH_MAX];
  uint64_t byte_length;
  if (!mp_call_begin(&call, env, info, "namedCreate")) return NULL;
  if (!arg_path(&call, 0, "folder", folder) || !arg_path(&call, 1, "path", path)) return NULL;
  if (!mp_arg_integer(&call, 2, "byteLength", 1, MAX_SAFE, &byte_length)) return NULL;
  struct mp_named *named;
  const char *step = NULL;
  int error = mp_named_create(folder, path, byte_length, &named, &step);
  if (error == 0) return wrap(&call, named);
  mp_throw_errno(&call, error, step);
  return NULL;
}

static napi_value named_open(napi_env env, napi_callback_info info) {
  struct mp_call call;
  char path[PATH_MAX];
  if (!mp_call_begin(&call, env, info, "namedOpen")) return NULL;
  if (!arg_path(&call, 0, "path", path)) return NULL;
  struct mp_named *named;
  const char *step = NULL;
  int error = mp_named_open(path, &named, &step);
  if (error == 0) return wrap(&call, named);
  mp_throw_errno(&call, error, step);
  return NULL;
}

static napi_value named_view(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct use *use;
  if (!mp_call_begin(&call, env, info, "namedView") || !arg_use(&call, 0, &use)) return NULL;
  if (use->viewed) { /* a second one would outlive the release of the first */
    mp_throw_errno(&call, EALREADY, NULL);
    return NULL;
  }
  napi_value result;
  /* SAFETY: the addresses stay until the use is freed, which the buffer prevents; see above. */
  napi_status status =
    napi_create_external_arraybuffer(env, mp_named_base(use->named),
                                     mp_named_byte_length(use->named), NULL, NULL, &result);
  if (status == napi_no_external_buffers_allowed) {
    MP_TRY(env,
           napi_throw_error(env, "ERR_MP_UNSUPPORTED",
                            "namedView: this JavaScript engine refuses memory from outside its "
                            "sandbox: shared memory cannot be used here"),
           NULL);
    return NULL;
  }
  MP_TRY(env, status, NULL);
  use->viewed = true;
  return result;
}

static napi_value named_identity(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct use *use;
  if (!mp_call_begin(&call, env, info, "namedIdentity") || !arg_use(&call, 0, &use)) return NULL;
  return mp_number(env, (double)mp_named_identity(use->named));
}

static napi_value named_keep(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct use *use;
  if (!mp_call_begin(&call, env, info, "namedKeep") || !arg_use(&call, 0, &use)) return NULL;
  mp_named_keep(use->named);
  return NULL;
}

/* Empties the buffer, and ends the use. */
static napi_value named_release(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct use *use;
  void *data = NULL;
  size_t length = 0;
  if (!mp_call_begin(&call, env, info, "namedRelease") || !arg_use(&call, 0, &use)) return NULL;
  MP_TRY(env, napi_get_arraybuffer_info(env, call.argv[1], &data, &length), NULL);
  if (length > 0 && data == mp_named_base(use->named)) {
    MP_TRY(env, napi_detach_arraybuffer(env, call.argv[1]), NULL);
    use->detached = true;
  }
  mp_named_release(use->named);
  return NULL;
}

static napi_value named_unlink(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct use *use;
  if (!mp_call_begin(&call, env, info, "namedUnlink") || !arg_use(&call, 0, &use)) return NULL;
  const char *step = NULL;
  int error = mp_named_unlink(use->named, &step);
  if (error < 0) mp_throw_errno(&call, error, step);
  return NULL;
}

static napi_value named_sweep(napi_env env, napi_callback_info info) {
  struct mp_call call;
  char path[PATH_MAX];
  if (!mp_call_begin(&call, env, info, "namedSweep")) return NULL;
  if (!arg_path(&call, 0, "path", path)) return NULL;
  const char *step = NULL;
  int result = mp_named_sweep(path, &step);
  if (result >= 0) return mp_boolean(env, result == 1);
  mp_throw_errno(&call, result, step);
  return NULL;
}

bool mp_define_named(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("namedCreate", named_create, agent),
    MP_FUNCTION("namedOpen", named_open, agent),
    MP_FUNCTION("namedView", named_view, agent),
    MP_FUNCTION("namedIdentity", named_identity, agent),
    MP_FUNCTION("namedKeep", named_keep, agent),
    MP_FUNCTION("namedRelease", named_release, agent),
    MP_FUNCTION("namedUnlink", named_unlink, agent),
    MP_FUNCTION("namedSweep", named_sweep, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
