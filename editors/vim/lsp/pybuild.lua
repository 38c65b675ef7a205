-- The language server of pybuild for Neovim from 0.11 on: vim.lsp.enable('pybuild').

---The words that start pybuild: those of the server, without its option.
local function program(context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local cmd = client and client.config.cmd
  local words = type(cmd) == 'table' and cmd or { 'pybuild' }
  return vim.tbl_filter(function(word)
    return word ~= '--lsp'
  end, words)
end

---What a lens is about: a target, and the folder of its build file, from where pybuild is run.
local function wish(command)
  local uri, target = unpack(command.arguments or {})
  local file = uri and vim.uri_to_fname(uri) or vim.api.nvim_buf_get_name(0)
  local name = vim.fs.basename(file)
  local is_pipefile = name == 'Pipefile' or vim.endswith(name, '.pipe')
  local folder = is_pipefile and vim.fs.root(file, 'Pipefile') or vim.fs.dirname(file)
  return folder, (target and target ~= '') and { '--', target } or {}
end

---A command of a lens: pybuild with these options on its target, in a terminal below.
local function in_terminal(...)
  local options = { ... }
  return function(command, context)
    local folder, goal = wish(command)
    local words = vim.list_extend(vim.list_extend(program(context), options), goal)
    vim.cmd('botright new')
    vim.fn.jobstart(words, { term = true, cwd = folder })
  end
end

---Draws the graph to a file and opens it.
local function graph(command, context)
  local folder, goal = wish(command)
  local file = vim.fn.tempname() .. '.svg'
  local words = vim.list_extend(program(context), { '--flowchart=' .. file })
  vim.system(vim.list_extend(words, goal), { cwd = folder, text = true }, vim.schedule_wrap(function(done)
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
    ['pybuild.explain'] = in_terminal('-n', '--explain'),
    ['pybuild.graph'] = graph,
  },
}
