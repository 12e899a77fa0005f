/*
 * Runs of pages that JavaScript sees through ArrayBuffers that are meant for users. The one thing to
 * know: a run has users, its external value and each backing store over it; the last of them gives
 * the pages back. So what an ArrayBuffer shows is never another's, also when it was transferred to
 * one that we do not know: the engine tells us when the backing store itself is gone.
 */
#include "addon.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>

/* All of a run is touched by its environment's thread alone. */
struct run {
  uint32_t *words; /* who owns its pages: one word each */
  uint32_t count;  /* of pages */
  uint32_t owner;  /* what the words hold while the run is ours */
  uint64_t waiters; /* first word of the wait set of those who are short of pages */
  uint32_t users;
  struct view *views;
};

struct view {
  struct run *run; /* NULL once we have emptied the buffer: it is a user no more */
  struct view *next;
  void *data;
  size_t length;
};

/* Frees the run with its last user; its pages too, unless they were handed over. */
static void drop_user(struct run *run, bool keep_pages) {
  if (--run->users > 0) return;
  for (uint32_t i = 0; i < run->count && !keep_pages; i++) {
    /* SAFETY: a tag is used once, so a word that holds ours is ours; a reaper may have freed it. */
    uint32_t expected = run->owner;
    (void)__atomic_compare_exchange_n(&run->words[i], &expected, 0, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
  }
  if (!keep_pages) mp_session_wake_set(run->waiters);
  free(run);
}

static void unlink_view(struct view *view) {
  struct view **at = &view->run->views;
  while (*at != view) at = &(*at)->next;
  *at = view->next;
}

/* The backing store is gone: whatever showed it has been collected, or emptied. */
static void free_view(napi_env env, void *data, void *hint) {
  (void)env, (void)data;
  struct view *view = hint;
  if (view->run != NULL) {
    unlink_view(view);
    drop_user(view->run, false);
  }
  free(view);
}

static void free_run(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct run **handle = data;
  if (*handle != NULL) drop_user(*handle, false);
  free(handle);
}

/* An external value holds a pointer to the run, which is NULL once it was closed. */
static bool arg_run(const struct mp_call *call, struct run ***out) {
  void *data;
  napi_status status = napi_get_value_external(call->env, call->argv[0], &data);
  if (status == napi_invalid_arg) {
    mp_throw_type(call, "run", "what runOpen() gave");
    return false;
  }
  MP_TRY(call->env, status, false);
  *out = data;
  return true;
}

static napi_value run_open(napi_env env, napi_callback_info info) {
  struct mp_call call;
  uint32_t *words, *last, owner;
  uint64_t count, first, waiters;
  if (!mp_call_begin(&call, env, info, "runOpen")) return NULL;
  if (!mp_arg_word(&call, 0, "word", &words)) return NULL;
  if (!mp_arg_integer(&call, 0, "word", 0, UINT32_MAX, &first)) return NULL;
  if (!mp_arg_integer(&call, 1, "count", 1, UINT32_MAX, &count)) return NULL;
  last = mp_session_word(first + count - 1);
  if (last == NULL) {
    mp_throw_errno(&call, ERANGE, "the words are not in the mapping");
    return NULL;
  }
  if (!mp_arg_value(&call, 2, "owner", &owner)) return NULL;
  if (!mp_arg_integer(&call, 3, "waiters", 0, UINT32_MAX, &waiters)) return NULL;
  struct run *run = calloc(1, sizeof *run);
  struct run **handle = malloc(sizeof *handle);
  if (run == NULL || handle == NULL) {
    free(run);
    free(handle);
    mp_throw_errno(&call, ENOMEM, NULL);
    return NULL;
  }
  *run = (struct run){.words = words, .count = (uint32_t)count, .owner = owner, .waiters = waiters, .users = 1};
  *handle = run;
  napi_value result;
  napi_status status = napi_create_external(env, handle, free_run, NULL, &result);
  if (status != napi_ok) {
    free(run);
    free(handle);
  }
  MP_TRY(env, status, NULL);
  return result;
}

static napi_value run_view(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct run **handle;
  uint64_t offset, length;
  if (!mp_call_begin(&call, env, info, "runView") || !arg_run(&call, &handle)) return NULL;
  const struct mp_segment *segment = mp_session();
  if (segment == NULL || *handle == NULL) {
    mp_throw_errno(&call, ENOTCONN, "the run is closed");
    return NULL;
  }
  if (!mp_arg_integer(&call, 1, "byteOffset", 0, segment->byte_length, &offset)) return NULL;
  if (!mp_arg_integer(&call, 2, "byteLength", 1, segment->byte_length - offset, &length)) {
    return NULL;
  }
  void *start = segment->base + offset;
  for (struct view *other = (*handle)->views; other != NULL; other = other->next) {
    /* It is by its range that a buffer is known again. */
    if (other->data != start || other->length != length) continue;
    mp_throw_errno(&call, EEXIST, "the run has a buffer over these bytes");
    return NULL;
  }
  struct view *view = malloc(sizeof *view);
  if (view == NULL) {
    mp_throw_errno(&call, ENOMEM, NULL);
    return NULL;
  }
  *view = (struct view){.data = start, .length = length};
  napi_value result;
  /* SAFETY: the range was checked against the mapping, which is never removed. */
  napi_status status =
    napi_create_external_arraybuffer(env, view->data, length, free_view, view, &result);
  if (status == napi_no_external_buffers_allowed) {
    free(view);
    MP_TRY(env,
           napi_throw_error(env, "ERR_MP_UNSUPPORTED",
                            "runView: this JavaScript engine refuses memory from outside its "
                            "sandbox: shared memory cannot be used here"),
           NULL);
    return NULL;
  }
  /* SAFETY: after any other failure the finalizer may or may not run: better lost than freed twice. */
  MP_TRY(env, status, NULL);
  view->run = *handle;
  view->next = view->run->views;
  view->run->views = view;
  view->run->users++;
  return result;
}

/* Empties one buffer of the run; what is not, or was emptied or transferred by others, stays as it is. */
static napi_value run_detach(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct run **handle;
  void *data = NULL;
  size_t length = 0;
  if (!mp_call_begin(&call, env, info, "runDetach") || !arg_run(&call, &handle)) return NULL;
  if (*handle == NULL) return NULL;
  MP_TRY(env, napi_get_arraybuffer_info(env, call.argv[1], &data, &length), NULL);
  struct view *view = (*handle)->views;
  while (view != NULL && (view->data != data || view->length != length)) view = view->next;
  if (view == NULL) return NULL;
  MP_TRY(env, napi_detach_arraybuffer(env, call.argv[1]), NULL);
  unlink_view(view);
  view->run = NULL;
  /* SAFETY: the external value is still a user, so this is not the last one. */
  (*handle)->users--;
  return NULL;
}

/*
 * Ends the external value's use. True when nothing shows the pages any more: they are the caller's
 * then, as they were before the run. Else they are freed with the last backing store.
 */
static napi_value run_close(napi_env env, napi_callback_info info) {
  struct mp_call call;
  struct run **handle;
  if (!mp_call_begin(&call, env, info, "runClose") || !arg_run(&call, &handle)) return NULL;
  struct run *run = *handle;
  if (run == NULL) return mp_boolean(env, false);
  *handle = NULL;
  bool is_last = run->users == 1;
  drop_user(run, true);
  return mp_boolean(env, is_last);
}

bool mp_define_run(struct mp_agent *agent, napi_value exports) {
  const napi_property_descriptor functions[] = {
    MP_FUNCTION("runOpen", run_open, agent),
    MP_FUNCTION("runView", run_view, agent),
    MP_FUNCTION("runDetach", run_detach, agent),
    MP_FUNCTION("runClose", run_close, agent),
  };
  const size_t count = sizeof functions / sizeof *functions;
  MP_TRY(agent->env, napi_define_properties(agent->env, exports, count, functions), false);
  return true;
}
