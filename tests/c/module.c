/* Compiled with -fmodules only: the headers as the Clang module that Swift imports. */
#include <plue_session.h>
#include <sessions.h>

int main(void) {
  session_store_options_t options = SESSION_INIT(session_store_options_t);
  session_stat_t stat = SESSION_INIT(session_stat_t);
  return options.size != 0 && stat.size != 0 && session_abi_version() == SESSION_ABI_VERSION &&
                 plue_get_last_error() != NULL
             ? 0
             : 1;
}
