/* The part of libsessions that watch.mjs uses, as a Node addon: six calls, through Node-API, whose
 * binary interface is the same for all versions of Node.
 *
 *   node=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")/include/node
 *   cc -shared -fPIC -I"$node" sessions.c $(pkg-config --cflags --libs sessions) -o sessions.node
 *
 * All calls are quick and run on Node's own thread, where session_last_error() is read, too. Calls
 * that wait or take long belong into a napi_async_work, error included.
 */
#include <node_api.h>
#include <sessions.h>

#include <stdint.h>

/* Throws what went wrong; true where something did. */
static int failed(napi_env env, session_status_t status)
{
  if (status == SESSION_OK) return 0;
  napi_throw_error(env, session_status_name(status), session_last_error()->message);
  return 1;
}

/* A handle is a number that looks like a pointer: a BigInt here. One that is none is refused by the
 * library, so nothing needs to be checked. */
static napi_value from_handle(napi_env env, const void *handle)
{
  napi_value value = NULL;
  napi_create_bigint_uint64(env, (uint64_t)(uintptr_t)handle, &value);
  return value;
}

static void *first_handle(napi_env env, napi_callback_info info)
{
  napi_value argument;
  size_t count = 1;
  uint64_t number = 0;
  bool lossless;

  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_bigint_uint64(env, argument, &number, &lossless);
  return (void *)(uintptr_t)number;
}

static napi_value open_store(napi_env env, napi_callback_info info)
{
  napi_value argument;
  size_t count = 1, length = 0;
  char path[4096];
  session_store_t *store;

  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  if (napi_get_value_string_utf8(env, argument, path, sizeof path, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "a path is a string");
    return NULL;
  }
  return failed(env, session_store_open(path, NULL, &store)) ? NULL : from_handle(env, store);
}

static napi_value open_watch(napi_env env, napi_callback_info info)
{
  session_store_t *store = first_handle(env, info);
  session_watch_t *watch;

  return failed(env, session_watch_open(store, NULL, &watch)) ? NULL : from_handle(env, watch);
}

static napi_value watch_socket(napi_env env, napi_callback_info info)
{
  session_watch_t *watch = first_handle(env, info);
  napi_value value = NULL;
  intptr_t fd;

  if (failed(env, session_watch_get_fd(watch, SESSION_FD_DUPLICATE, &fd))) return NULL;
  napi_create_int64(env, fd, &value);
  return value;
}

static napi_value watch_next(napi_env env, napi_callback_info info)
{
  session_watch_t *watch = first_handle(env, info);
  napi_value value = NULL;
  char *page;
  size_t length;

  if (failed(env, session_watch_next(watch, 0, 0, &page, &length))) return NULL;
  napi_create_string_utf8(env, page, length, &value);
  session_string_free(page);
  return value;
}

static napi_value destroy_watch(napi_env env, napi_callback_info info)
{
  session_watch_destroy(first_handle(env, info));
  return NULL;
}

static napi_value close_store(napi_env env, napi_callback_info info)
{
  failed(env, session_store_close(first_handle(env, info)));
  return NULL;
}

NAPI_MODULE_INIT()
{
  const napi_property_descriptor calls[] = {
    {"openStore", NULL, open_store, NULL, NULL, NULL, napi_enumerable, NULL},
    {"openWatch", NULL, open_watch, NULL, NULL, NULL, napi_enumerable, NULL},
    {"watchSocket", NULL, watch_socket, NULL, NULL, NULL, napi_enumerable, NULL},
    {"watchNext", NULL, watch_next, NULL, NULL, NULL, napi_enumerable, NULL},
    {"destroyWatch", NULL, destroy_watch, NULL, NULL, NULL, napi_enumerable, NULL},
    {"closeStore", NULL, close_store, NULL, NULL, NULL, napi_enumerable, NULL},
  };

  napi_define_properties(env, exports, sizeof calls / sizeof calls[0], calls);
  return exports;
}
