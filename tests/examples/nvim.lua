-- What a person would look at: waits until the buffer of examples/lua/watch.lua shows every line
-- that matches, in this order, then ends the editor as a person would. Exit code 1 otherwise.
local function shows_all(patterns)
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  local from = 1
  for _, pattern in ipairs(patterns) do
    local _, last = text:find(pattern, from)
    if last == nil then
      return false
    end
    from = last
  end
  return true
end

local ready = assert(io.open(vim.env.SESSIONS_READY, "w"))
ready:write("watching\n")
ready:close()
local patterns = vim.split(vim.env.SESSIONS_EXPECTED, "\n", { trimempty = true })
local ok = vim.wait(120000, function()
  return shows_all(patterns)
end, 20)
print(table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"))
vim.cmd(ok and "qall!" or "cquit!")
