-- Shows what happens in a store while it happens, in a buffer of Neovim. libuv polls the watch's
-- socket in the editor's own loop: nothing blocks, and no timer runs.
--
--   SESSIONS_STORE=my-store nvim -c 'luafile examples/lua/watch.lua'
--
-- SESSIONS_LIBRARY and SESSIONS_CDEF name libsessions and its sessions_cdef.h where they are not
-- found by themselves.
local ffi = require("ffi")
local uv = vim.uv or vim.loop -- the former since Neovim 0.10

local here = vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p:h")
if not pcall(ffi.typeof, "session_store_t") then -- not declared yet
  local header = assert(io.open(vim.env.SESSIONS_CDEF or here .. "/../../include/sessions_cdef.h"))
  ffi.cdef(header:read("*a"))
  header:close()
end
local C = ffi.load(vim.env.SESSIONS_LIBRARY or "sessions")

local function check(status)
  if status ~= C.SESSION_OK then
    error(ffi.string(C.session_last_error().message), 2)
  end
end

local Watch = {}
Watch.__index = Watch

-- Watches a store. `on_change` gets each change as a table, where it may call all of Neovim.
function Watch.open(path, on_change)
  local store, watch = ffi.new("session_store_t *[1]"), ffi.new("session_watch_t *[1]")
  local fd = ffi.new("intptr_t[1]")
  check(C.session_store_open(path, nil, store))
  check(C.session_watch_open(store[0], nil, watch))
  check(C.session_watch_get_fd(watch[0], 0, fd)) -- the watch's own, which goes with it

  local self = setmetatable({ store = store[0], watch = watch[0], on_change = on_change }, Watch)
  self.poll = uv.new_socket_poll(tonumber(fd[0]))
  self.poll:start("r", function(failure)
    assert(not failure, failure)
    self:take_page()
  end)
  return self
end

-- One page a turn of the loop: while there are more, the socket stays readable. This runs where
-- most of Neovim may not be called, hence the schedule.
function Watch:take_page()
  local json = ffi.new("char *[1]")
  check(C.session_watch_next(self.watch, 0, 0, json, nil))
  local page = ffi.string(json[0])
  C.session_string_free(json[0])
  vim.schedule(function()
    for _, change in ipairs(vim.json.decode(page).changes) do
      self.on_change(change)
    end
  end)
end

-- First out of the loop, then out of the library.
function Watch:close()
  self.poll:stop()
  self.poll:close()
  C.session_watch_destroy(self.watch)
  check(C.session_store_close(self.store))
end

-- The buffer: a line for each change, below the last one.
vim.cmd("enew")
vim.bo.buftype, vim.bo.bufhidden, vim.bo.swapfile = "nofile", "wipe", false
local buffer = vim.api.nvim_get_current_buf()
local path = vim.env.SESSIONS_STORE or "watch-store"
vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { "watching " .. path })

local watch = Watch.open(path, function(change)
  if vim.api.nvim_buf_is_valid(buffer) then
    local detail = vim.json.encode(change.detail)
    local line = change.kind .. " " .. tostring(change.session_id) .. " " .. detail
    vim.api.nvim_buf_set_lines(buffer, -1, -1, false, { line })
  end
end)

vim.api.nvim_create_autocmd("BufUnload", {
  buffer = buffer,
  once = true,
  callback = function()
    watch:close()
  end,
})
