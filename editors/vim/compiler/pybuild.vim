" :compiler pybuild, then :make [GOAL]: mistakes in the quickfix list.

if exists('current_compiler')
  finish
endif
let current_compiler = 'pybuild'

if exists(':CompilerSet') != 2
  command -nargs=* CompilerSet setlocal <args>
endif

" The usual formats stay, for what the compilers print that recipes start.
CompilerSet makeprg=pybuild
CompilerSet errorformat&
CompilerSet errorformat^=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m
