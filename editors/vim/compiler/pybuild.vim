" :compiler pybuild, then :make [GOAL]: mistakes in the quickfix list.

if exists('current_compiler')
  finish
endif
let current_compiler = 'pybuild'

if exists(':CompilerSet') != 2
  command -nargs=* CompilerSet setlocal <args>
endif

" Excerpts, notes and what recipes print are left out of the list.
CompilerSet makeprg=pybuild
CompilerSet errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%-G%.%#
