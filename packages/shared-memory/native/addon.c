/*
 * The addon's entry: one agent per Node environment. The one thing to know is the order of its end.
 * Node first runs the finalizers of our ArrayBuffers (they do nothing), then cleanup hooks, last
 * added first: stop the waiter thread, then leave the session. On process.exit() of the main
 * thread none of this runs, and the kernel does it. The library is linked never to be unloaded,
 * since its threads outlive a worker that was alone in loading it.
 */
#include "addon.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

static void leave_hook(void *argument) {
  struct mp_agent *agent = argument;
  /* The waiter first, always: once the slot is given away, its words are somebody else's. */
  mp_agent_stop_waiter(agent);
  mp_session_leave(agent);
  free(agent);
}

/* Throws and returns false where this system cannot run a session. */
static bool check_platform(napi_env env) {
  const char *missing = mp_platform_init();
  if (missing == NULL) return true;
  char message[320];
  (void)snprintf(message, sizeof message, "this system lacks what shared memory needs: %s", missing);
  MP_TRY(env, napi_throw_error(env, "ERR_MP_UNSUPPORTED", message), false);
  return false;
}

/* NAPI_MODULE_INIT defines this one too, without declaring it. */
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);

NAPI_MODULE_INIT() {
  if (!check_platform(env)) return NULL;
  struct mp_agent *agent = calloc(1, sizeof *agent);
  if (agent == NULL) {
    MP_TRY(env, napi_throw_error(env, "ENOMEM", "shared memory addon: out of memory"), NULL);
    return NULL;
  }
  agent->env = env;
  napi_status status = napi_add_env_cleanup_hook(env, leave_hook, agent);
  if (status != napi_ok) free(agent);
  MP_TRY(env, status, NULL);
  /* From here on the hook frees the agent, whatever fails. */
  if (!mp_define_session(agent, exports) || !mp_define_parking(agent, exports) ||
      !mp_define_liveness(agent, exports) || !mp_define_named(agent, exports) ||
      !mp_define_run(agent, exports) || !mp_define_forkserver(agent, exports) ||
      !mp_define_exits(agent, exports)) {
    return NULL;
  }
  return exports;
}
