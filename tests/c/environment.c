/* What the environment may do to the library: name the default folder, and nothing else. Each test
   is a child, in which the runtime has not started and reads the environment anew. */
#include "one_store.h"

#include <dirent.h>
#include <sys/wait.h>

static void use_the_library(void) {
  session_t *session;
  char *json = NULL;
  int i;
  start();
  session = create(NULL, NULL);
  for (i = 0; i < 300; ++i) { /* enough for some collections */
    MUST(append_text(session, "user_prompt", "{\"text\":\"hello\"}", NULL) == SESSION_OK);
  }
  CHECK_OK(session_read_events(session, 0, 0, &json, NULL));
  session_string_free(json);
  CHECK_OK(session_store_verify(store, &json, NULL));
  session_string_free(json);
  CHECK_OK(session_destroy(session));
  stop();
}

/* Runs it in a child; its failures, printed there, become one here. */
static void in_child(void (*run)(void), const char *what) {
  int status = -1;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    check_failed_ = 0;
    run();
    fflush(stdout);
    _exit(check_failed_ == 0 ? 0 : 1);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    printf("    with %s: status %d\n", what, status);
  }
}

static void settings_of_the_runtime_are_ignored(void) {
  static const char *const settings[][2] = {
      {"DOTNET_GCHeapHardLimit", "1"},
      {"DOTNET_GCHeapHardLimitPercent", "1"},
      {"DOTNET_GCHeapHardLimitSOH", "1"},
      {"DOTNET_GCRegionSize", "1"},
      {"DOTNET_GCRegionRange", "1"},
      {"DOTNET_GCLargePages", "1"},
      {"DOTNET_GCTotalPhysicalMemory", "1"},
      {"DOTNET_GCgen0size", "ffffffffffffffff"},
      {"DOTNET_GCgen0size", "nonsense"},
      {"DOTNET_GCgen0MaxBudget", "1"},
      {"DOTNET_GCgen1size", "ffffffffffffffff"},
      {"DOTNET_GCHeapCount", "ffffffff"},
      {"DOTNET_GCHeapAffinitizeMask", "0"},
      {"DOTNET_GCConserveMemory", "ff"},
      {"DOTNET_GCStress", "3"},
      {"DOTNET_GCName", "libnothing.so"},
      {"DOTNET_GCPath", "/nothing.so"},
      {"DOTNET_gcServer", "1"},
      {"DOTNET_gcConcurrent", "1"},
      {"DOTNET_PROCESSOR_COUNT", "0"},
      {"DOTNET_TieredCompilation", "0"},
      {"DOTNET_EnableHWIntrinsic", "0"},
      {"DOTNET_EnableAVX2", "0"},
      {"DOTNET_DbgEnableMiniDump", "1"},
      {"DOTNET_EnableDiagnostics", "1"},
      {"DOTNET_EnableEventPipe", "1"},
      {"DOTNET_ThreadPool_ForceMinWorkerThreads", "ffff"},
      {"COMPlus_GCHeapHardLimit", "1"},
      {"CORECLR_ENABLE_PROFILING", "1"},
  };
  size_t i;
  for (i = 0; i < sizeof settings / sizeof settings[0]; ++i) {
    CHECK(setenv(settings[i][0], settings[i][1], 1) == 0);
    in_child(use_the_library, settings[i][0]);
    CHECK(unsetenv(settings[i][0]) == 0);
  }
}

/* ---- the default folder --------------------------------------------------------------------- */

static void the_default_is_refused(void) {
  session_store_t *opened = (session_store_t *)&opened;
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_open(NULL, NULL, &opened));
  CHECK_DETAILS("{\"argument\":\"path\"}");
  CHECK(opened == NULL);
  use_the_library(); /* with a path of its own all is well */
}

static void the_default_opens(void) {
  session_store_t *opened = NULL;
  CHECK_OK(session_store_open(NULL, NULL, &opened));
  CHECK_OK(session_store_close(opened));
}

static int is_there(const char *below) {
  char path[4300];
  snprintf(path, sizeof path, "%s/%s/store.json", folder, below);
  return access(path, F_OK) == 0;
}

static void homes(void) {
  char before[4096];
  folder = folder_make();
  CHECK(getcwd(before, sizeof before) != NULL);
  CHECK(chdir(folder) == 0);
  unsetenv("XDG_DATA_HOME");
  unsetenv("SESSIONS_HOME");
  setenv("HOME", "relative", 1);
  in_child(the_default_is_refused, "HOME=relative");
  setenv("HOME", ".", 1);
  in_child(the_default_is_refused, "HOME=.");
  setenv("XDG_DATA_HOME", "relative", 1);
  in_child(the_default_is_refused, "XDG_DATA_HOME=relative");
  setenv("XDG_DATA_HOME", folder, 1);
  in_child(the_default_opens, "XDG_DATA_HOME");
  CHECK(is_there("sessions"));
  unsetenv("XDG_DATA_HOME");
  setenv("SESSIONS_HOME", "below", 1);
  in_child(the_default_opens, "SESSIONS_HOME=below");
  CHECK(is_there("below"));
  unsetenv("SESSIONS_HOME");
  setenv("HOME", folder, 1);
  in_child(the_default_opens, "HOME");
  CHECK(is_there(".local/share/sessions"));
  CHECK(chdir(before) == 0);
  folder_remove(folder);
}

/* ---- a current folder that is gone ---------------------------------------------------------- */

static void a_relative_path_is_refused(void) {
  session_store_t *opened = NULL;
  char *path = folder_make();
  CHECK(chdir(path) == 0 && rmdir(path) == 0);
  CHECK_STATUS(SESSION_E_INVALID_ARGUMENT, session_store_open("relative", NULL, &opened));
  CHECK_DETAILS("{\"argument\":\"path\"}");
  CHECK(chdir("/") == 0);
  use_the_library();
  free(path);
}

static void a_current_folder_that_is_gone(void) {
  in_child(a_relative_path_is_refused, "no current folder");
}

int main(void) {
  RUN(settings_of_the_runtime_are_ignored);
  RUN(homes);
  RUN(a_current_folder_that_is_gone);
  return check_done("environment");
}
