/* The day of an editor: three hosts that stay all day, and thousands of short commands beside them on one store, some
   of them killed. What each was told is saved it says on its standard output, one line each, once the call is back:

     S <session> <marker>             made, with the marker as its title
     E <session> <seq> <marker>       an event
     T <session> <marker>             a title
     Q <session> <entry> <marker>     a prompt in the queue
     D <session> <entry> <seq>        it was delivered
     R <session> <entry>              it was taken out
     X <session>                      in the trash
     B <session>                      back from it
     G <session>                      gone for good
     P                                all that was in the trash is gone
     H <session> <secret>             a share
     L <call> <median in ns>          how long a call of a host takes, while nothing else runs
     .                                a host has done what it was told

   A marker is a number that is used once; it is written as "m<number>". */
#ifndef DAY_H
#define DAY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <sessions.h>

enum { HOSTS = 3, FIFTHS = 5, ID_MAX = 64, LINE_MAX_BYTES = 512 };

/* Markers of a host begin with its number times this; those below it are commands'. */
#define MARKERS_OF_A_HOST UINT64_C(1000000000)

/* ---- roles (host.c, command.c): argv is role, folder and what it needs ---- */

/* What the machine itself takes, beside the calls: a write that is synced, and some arithmetic. */
#define DISK_CALL "disk"
#define MACHINE_CALL "machine"

/* argv: "host", folder, number. Works at each "w" on its standard input until a "q", and measures at an "m". */
int host_main(char **argv);
/* argv: kind, folder, session, marker, entry. */
int command_main(char **argv);

void say(const char *format, ...);
void must(session_status_t status, const char *call);
session_store_t *open_day(const char *folder);
char *text_of(const char *json, const char *key, char *buffer, size_t size);
uint64_t append_marker(session_t *session, uint64_t marker, uint32_t flags);
uint64_t stream_marker(session_t *session, uint64_t marker);
void add_to_queue(session_t *session, const char *id, uint64_t marker);
/* Delivers the first that waits, and says so. */
void deliver(session_t *session, const char *id);

/* ---- measure.c ---- */

double now_seconds(void);
/* Kilobytes of its own memory, garbage included until it has been idle for two seconds; -1: none of that number. */
long memory_of(pid_t process);
long descriptors_of(pid_t process);
/* How often its threads have gone to sleep so far. */
long sleeps_of(pid_t process);
double median_of(double *values, int count);
/* How fast values at these times (in seconds) grow, an hour. */
double growth_an_hour(const double *times, const double *values, int count);
/* Bytes below a folder, but those of logs, their histories, the journal, the index, and queues, which come and go. */
long small_bytes_below(const char *folder);

/* ---- ledger.c ---- */

typedef struct day_session {
  char id[ID_MAX];
  enum { LIVE, TRASHED, GONE } place;
  int owner;               /* the number of its host; 0: commands' */
  int is_busy;             /* a command is at it */
  int place_doubted;       /* a killed command was to move it */
  uint64_t title, title_doubted;
  uint64_t *events;        /* markers by number */
  size_t events_room;
  struct day_entry *entries;
  size_t entries_count;
  uint64_t *doubts;        /* markers that killed commands may have written */
  size_t doubts_count;
  char secret[128];
} day_session_t;

typedef struct day_entry {
  char id[ID_MAX];
  uint64_t marker;
  int is_out;              /* delivered or removed, or a killed command was to do that */
} day_entry_t;

extern day_session_t *ledger;
extern size_t ledger_count;
extern long ledger_lines;

/* Takes in one line of a host or command. */
void ledger_take(const char *line);
day_session_t *ledger_find(const char *id);
/* A killed command was to do this. */
void ledger_doubt(const char *kind, const char *id, uint64_t marker);
/* Holds the store against it; each difference is a line of its own. How many. */
int ledger_check(session_store_t *store);

#endif
