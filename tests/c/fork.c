/* After fork, every call in the child is SESSION_E_FORKED, destroy and free are harmless, and the
   parent goes on as if nothing had happened. */
#include "one_store.h"

#include <sys/wait.h>

static session_t *session;
static session_stream_t *stream;
static char *string_of_parent;
static session_cursor_t *cursor_of_parent;
static session_job_t *job_of_parent;
static session_watch_t *watch_of_parent;

#define FORKED(call) CHECK_STATUS(SESSION_E_FORKED, call)

static void every_call_in_the_child(void) {
  session_store_t *opened = NULL;
  session_t *made = NULL;
  session_stream_t *begun = (session_stream_t *)folder;
  session_stat_t stat = SESSION_INIT(session_stat_t);
  char *json = NULL;
  size_t length = 7;
  int32_t flag = 7;
  uint32_t count = 7;
  uint64_t seq = 7;
  session_cursor_t *cursor = NULL;
  session_job_t *job = NULL;
  session_progress_t progress = SESSION_INIT(session_progress_t);
  session_watch_t *watch = (session_watch_t *)folder;
  int64_t due_at = 7;
  intptr_t descriptor = 7;

  FORKED(session_store_open(folder, NULL, &opened));
  CHECK(opened == NULL);
  FORKED(session_store_get_info(store, &json, &length));
  CHECK(json == NULL && length == 0);
  FORKED(session_store_configure(store, NULL, "{}"));
  FORKED(session_store_flush(store));
  FORKED(session_store_verify(store, &json, NULL));
  FORKED(session_get_error(store, -1, &json, NULL));
  FORKED(session_store_verify_ex(store, 0, &json, NULL));
  FORKED(session_store_purge(store, 1, &count));
  FORKED(session_store_backup(store, "b", &json, NULL));
  FORKED(session_store_salvage(folder, NULL, &json, NULL));
  FORKED(session_create(store, NULL, NULL, &made));
  FORKED(session_open(store, "session_1", &made));
  FORKED(session_get_infos(store, "[]", NULL, &json, NULL));
  FORKED(session_list(store, NULL, &json, NULL, NULL));
  FORKED(session_restore(store, "session_1"));
  FORKED(session_resolve_share(store, "x", &made));
  FORKED(session_get_id(session, &json));
  FORKED(session_get_path(session, &json));
  FORKED(session_get_stat(session, &stat));
  FORKED(session_get_info(session, &json, NULL));
  FORKED(session_update_title(session, "child"));
  FORKED(session_suggest_title(session, "child", &flag));
  FORKED(session_update_metadata(session, "{}"));
  FORKED(session_update(session, "{}", 0, &seq));
  FORKED(session_delete(session, SESSION_DELETE_CASCADE));
  FORKED(session_abort(session, NULL));
  FORKED(session_abort_ex(session, NULL, 0, &count));
  FORKED(session_is_aborted(session, &flag));
  FORKED(session_wait_abort(session, SESSION_WAIT_FOREVER));
  CHECK_INT(SESSION_E_FORKED, session_signal_abort(session));
  FORKED(session_clear_abort(session));
  FORKED(session_create_share(session, NULL, &json, NULL));
  FORKED(session_list_shares(session, &json, NULL));
  FORKED(session_revoke_share(session, "x"));
  FORKED(session_append_event(session, "t", "{}", 2, 0, &seq));
  FORKED(session_append_event_ex(session, "t", "{}", 2, NULL, &seq));
  FORKED(session_append_events(session, "[]", 2, 0, &json, NULL));
  FORKED(session_read_events(session, 0, 0, &json, NULL));
  FORKED(session_read_last_events(session, 0, 0, &json, NULL));
  FORKED(session_transcript(session, 0, NULL, &json, NULL));
  FORKED(session_repair(session, 0, &json, NULL));
  FORKED(session_fork(session, 0, NULL, &made));
  FORKED(session_tree(session, &json, NULL));
  FORKED(session_rewind(session, 0));
  FORKED(session_undo_rewind(session));
  FORKED(session_prune(session, "{}", &json, NULL));
  FORKED(session_store_retain(store, "{}", &json, NULL));
  FORKED(session_stream_begin(session, "t", NULL, &begun));
  CHECK(begun == NULL);
  FORKED(session_stream_write(stream, "child", 5));
  FORKED(session_stream_end(stream, NULL, &seq));
  FORKED(session_read_streams(session, NULL, 0, &json, NULL));
  FORKED(session_read_turns(session, 0, 0, &json, NULL));
  FORKED(session_cursor_open(session, NULL, &cursor));
  CHECK(cursor == NULL);
  FORKED(session_cursor_next(cursor_of_parent, 0, SESSION_WAIT_FOREVER, &json, NULL));
  FORKED(session_cursor_previous(cursor_of_parent, 0, &json, NULL));
  FORKED(session_cursor_seek(cursor_of_parent, 0));
  FORKED(session_cursor_seek_time(cursor_of_parent, 0));
  FORKED(session_put_file(session, "a", "x", 1, &json, NULL));
  FORKED(session_get_file_path(session, "f_0", &json));
  FORKED(session_job_start(store, "flush", "{}", 2, &job));
  CHECK(job == NULL);
  FORKED(session_job_get_progress(job_of_parent, &progress));
  FORKED(session_job_wait(job_of_parent, SESSION_WAIT_FOREVER));
  FORKED(session_job_result(job_of_parent, &json, NULL));
  FORKED(session_job_cancel(job_of_parent));
  FORKED(session_lock(session, SESSION_LOCK_FORCE, NULL));
  FORKED(session_lock_answer(session, "lr_1", 1));
  FORKED(session_lock_status(session, &json, NULL));
  FORKED(session_set_activity(session, "idle", NULL));
  FORKED(session_unlock(session));
  FORKED(session_release_all_locks(store));
  FORKED(session_active_lock_count(store, &count));
  FORKED(session_watch_open(store, NULL, &watch));
  CHECK(watch == NULL);
  FORKED(session_watch_next(watch_of_parent, 0, SESSION_WAIT_FOREVER, &json, NULL));
  FORKED(session_watch_get_fd(watch_of_parent, 0, &descriptor));
  CHECK(descriptor == -1);
  FORKED(session_queue_add(session, "{}", 2, &json, NULL));
  FORKED(session_queue_list(session, &json, NULL));
  FORKED(session_queue_update(session, "q", "{}"));
  FORKED(session_queue_move(session, "q", 1));
  FORKED(session_queue_remove(session, "q"));
  FORKED(session_queue_clear(session, &count));
  FORKED(session_queue_claim(session, NULL, &json, NULL));
  FORKED(session_queue_settle(session, "q", SESSION_QUEUE_SENT, NULL, &seq));
  FORKED(session_queue_next_due(session, &due_at));
  CHECK(due_at == 0);
  FORKED(session_get_buttons(session, &json, NULL));
  FORKED(session_set_buttons(session, "[]", 0));
  FORKED(session_abi_json(&json, NULL));
  FORKED(session_log_read(0, 0, &json, NULL));
  CHECK(json == NULL && made == NULL && count == 0 && seq == 0 && flag == 0);

  CHECK(session_last_error() != NULL && session_last_error()->message != NULL);
  CHECK_INT(SESSION_E_FORKED, session_last_error()->status);
  CHECK_STR(SESSION_VERSION_STRING, session_version());
  CHECK_INT(SESSION_ABI_VERSION, session_abi_version());
  CHECK_STR("SESSION_E_FORKED", session_status_name(SESSION_E_FORKED));

  /* Whatever they answer, they return and touch nothing of the parent's. */
  session_string_free(string_of_parent);
  session_cursor_destroy(cursor_of_parent);
  session_job_destroy(job_of_parent);
  session_watch_destroy(watch_of_parent);
  session_watch_destroy(NULL);
  session_destroy(session);
  session_destroy(session);
  session_destroy(NULL);
  session_stream_destroy(stream);
  session_stream_destroy(NULL);
  FORKED(session_store_close(store));
  FORKED(session_shutdown(1000));
  FORKED(session_store_open(folder, NULL, &opened)); /* not even after that */
}

/* Runs it in a child; its failures, printed there, become one here. */
static void in_child(void (*run)(void)) {
  pid_t child;
  int status = -1;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    run();
    fflush(stdout);
    _exit(check_failed_ == 0 ? 0 : 1);
  }
  CHECK(child > 0);
  CHECK(waitpid(child, &status, 0) == child);
  if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    printf("    the child's status is %d\n", status);
  }
}

static void the_child_is_refused_and_the_parent_goes_on(void) {
  char *page = NULL;
  char id[160];
  char *json = NULL;
  start();
  session = create(NULL, "before");
  id_of(session, id, sizeof id);
  CHECK_OK(session_lock(session, SESSION_LOCK_TRY, NULL));
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  CHECK_OK(session_get_id(session, &string_of_parent));
  CHECK_OK(session_stream_begin(session, "agent_message", NULL, &stream));
  CHECK_OK(session_stream_write(stream, "be", 2));
  CHECK_OK(session_cursor_open(session, NULL, &cursor_of_parent));
  CHECK_OK(session_job_start(store, "verify", "{}", 2, &job_of_parent));
  CHECK_OK(session_watch_open(store, NULL, &watch_of_parent));

  in_child(every_call_in_the_child);
  CHECK_OK(session_update_title(session, "after"));
  CHECK_OK(append_text(session, "user_prompt", "{}", NULL));
  in_child(every_call_in_the_child); /* and once more */

  CHECK_OK(session_job_wait(job_of_parent, GUARD_MS));
  CHECK_OK(session_job_result(job_of_parent, &json, NULL));
  CHECK_HAS(json, "{\"ok\":true,");
  session_string_free(json);
  CHECK_OK(session_job_destroy(job_of_parent));
  CHECK_OK(session_cursor_seek(cursor_of_parent, 0));
  CHECK_OK(session_cursor_destroy(cursor_of_parent));
  CHECK_OK(session_watch_next(watch_of_parent, 0, GUARD_MS, &page, NULL));
  CHECK_HAS(page, "\"kind\":\"renamed\"");
  session_string_free(page);
  CHECK_OK(session_watch_destroy(watch_of_parent));
  CHECK_OK(session_lock_status(session, &page, NULL));
  CHECK_HAS(page, "\"is_mine\":true"); /* the child let go of nothing */
  session_string_free(page);
  CHECK_STR(id, string_of_parent);
  session_string_free(string_of_parent);
  CHECK_INFO(session, "\"title\":\"after\"");
  CHECK_INFO(session, "\"last_seq\":2");
  CHECK_OK(session_stream_write(stream, "fore", 4));
  CHECK_OK(session_stream_end(stream, NULL, NULL));
  CHECK_OK(session_stream_destroy(stream));
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  NEED(session_store_open(folder, NULL, &store)); /* the child held no lock back */
  NEED(session_open(store, id, &session));
  CHECK_INFO(session, "\"last_seq\":3");
  CHECK_OK(session_destroy(session));
  stop();
}

/* A child that outlives the parent's store holds neither its files nor its locks. It lives until
   the pipe is closed, be it by the death of this process. */
static void a_lingering_child_holds_nothing(void) {
  int ends[2];
  pid_t child;
  int status = -1;
  char *json = NULL;

  start();
  session = create(NULL, NULL);
  CHECK(pipe(ends) == 0);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    char letter;
    close(ends[1]);
    _exit(read(ends[0], &letter, 1) == 0 ? 0 : 1);
  }
  CHECK(child > 0);
  close(ends[0]);
  CHECK_OK(session_destroy(session));
  CHECK_OK(session_store_close(store));
  CHECK_OK(session_store_salvage(folder, NULL, &json, NULL)); /* needs the store to itself */
  session_string_free(json);
  CHECK_OK(session_store_open(folder, NULL, &store));
  session = create(NULL, NULL);
  CHECK_OK(session_destroy(session));
  close(ends[1]);
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  stop();
}

int main(void) {
  RUN(the_child_is_refused_and_the_parent_goes_on);
  RUN(a_lingering_child_holds_nothing);
  return check_done("fork");
}
