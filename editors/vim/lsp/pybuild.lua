-- The language server of pybuild for Neovim from 0.11 on: vim.lsp.enable('pybuild').

local function program(client)
  local cmd = client and client.config.cmd
  return type(cmd) == 'table' and cmd[1] or 'pybuild'
end

---The folder of a lens's second argument, which is a path or a URI.
local function folder_of(told)
  if not told or told == '' then
    return vim.fn.getcwd()
  end
  return vim.startswith(told, 'file:') and vim.uri_to_fname(told) or told
end

---A command of a lens: pybuild with these options on its target, in a terminal below.
local function in_terminal(...)
  local options = { ... }
  return function(command, context)
    local target, folder = unpack(command.arguments or {})
    local words = vim.list_extend({ program(vim.lsp.get_client_by_id(context.client_id)) }, options)
    if target and target ~= '' then
      vim.list_extend(words, { '--', target })
    end
    vim.cmd('botright new')
    vim.fn.jobstart(words, { term = true, cwd = folder_of(folder) })
  end
end

---Draws the graph to a file and opens it.
local function graph(command, context)
  local target, folder = unpack(command.arguments or {})
  local file = vim.fn.tempname() .. '.svg'
  local words = { program(vim.lsp.get_client_by_id(context.client_id)), '--flowchart=' .. file }
  if target and target ~= '' then
    vim.list_extend(words, { '--', target })
  end
  vim.system(words, { cwd = folder_of(folder), text = true }, vim.schedule_wrap(function(done)
    if done.code ~= 0 then
      vim.notify(done.stderr, vim.log.levels.ERROR)
    else
      vim.ui.open(file)
    end
  end))
end

return {
  cmd = { 'pybuild', '--lsp' },
  filetypes = { 'pipefile', 'make' },
  root_markers = { 'Pipefile', 'GNUmakefile', 'Makefile', 'makefile', '.git' },
  commands = {
    ['pybuild.run'] = in_terminal(),
    ['pybuild.dryRun'] = in_terminal('-n'),
    ['pybuild.why'] = in_terminal('-n', '--explain'),
    ['pybuild.graph'] = graph,
  },
}
