-- The shipped sessions_cdef.h goes through ffi.cdef as it is, and calls work on what it declares.
--   luajit cdef.lua HEADER LIBRARY FOLDER
local ffi = require("ffi")
local header, library, folder = arg[1], arg[2], arg[3]

local passed, failed = 0, 0
local function check(ok, what)
  if ok then
    passed = passed + 1
  else
    failed = failed + 1
    print("  FAILED " .. what)
  end
end

local file = assert(io.open(header))
ffi.cdef(file:read("*a"))
file:close()
local C = ffi.load(library)

check(ffi.string(C.session_version()) == "0.1.0", "version")
check(C.session_abi_version() == C.SESSION_ABI_VERSION, "ABI version")
check(C.SESSION_WAIT_FOREVER == 0xFFFFFFFF, "an unsigned constant")
check(C.SESSION_E_NOT_FOUND == -20, "a negative constant")

local function text(out)
  local value = ffi.string(out[0])
  C.session_string_free(out[0])
  return value
end

local store = ffi.new("session_store_t *[1]")
local options = ffi.new("session_store_options_t")
C.session_options_init(options, ffi.sizeof(options))
options.durability = C.SESSION_DURABILITY_FULL
check(C.session_store_open(folder, options, store) == C.SESSION_OK, "open the store")

local session = ffi.new("session_t *[1]")
check(C.session_create(store[0], nil, nil, session) == C.SESSION_OK, "create")
check(C.session_update_title(session[0], "from Lua") == C.SESSION_OK, "title")
local data = '{"text":"hello"}'
local seq = ffi.new("uint64_t[1]")
check(C.session_append_event(session[0], "user_prompt", data, #data, 0, seq) == C.SESSION_OK,
  "append")
check(tonumber(seq[0]) == 1, "sequence number")

local json = ffi.new("char *[1]")
local length = ffi.new("size_t[1]")
check(C.session_get_info(session[0], json, length) == C.SESSION_OK, "info")
local info = text(json)
check(#info == tonumber(length[0]), "length")
check(info:find('"title":"from Lua"', 1, true) ~= nil, "title in the info")
check(C.session_read_events(session[0], 0, 0, json, nil) == C.SESSION_OK, "read")
check(text(json):find('"data":{"text":"hello"}', 1, true) ~= nil, "the event")

local stat = ffi.new("session_stat_t")
C.session_options_init(stat, ffi.sizeof(stat))
check(C.session_get_stat(session[0], stat) == C.SESSION_OK, "stat")
check(tonumber(stat.message_count) == 1, "message count")

check(C.session_open(store[0], "../x", session) == C.SESSION_E_INVALID_ARGUMENT, "a bad id")
local problem = C.session_last_error()
check(problem.status == C.SESSION_E_INVALID_ARGUMENT, "last error")
check(#ffi.string(problem.message) > 0, "its message")
check(C.session_store_close(store[0]) == C.SESSION_OK, "close")
check(C.session_shutdown(10000) == C.SESSION_OK, "shutdown")

print(string.format("cdef: %d passed, %d failed", passed, failed))
os.exit(failed == 0 and 0 or 1)
