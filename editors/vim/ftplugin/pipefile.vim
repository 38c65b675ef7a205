" Settings for Pipefiles.

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=cql
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal include=^-\\?include\\s suffixesadd=.pipe
setlocal define=^\\%(\\%(split\\|collate\\|product\\|value\\)\\s\\+\\)\\?\\ze\\h\\w*\\s*[:=]

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< expandtab< shiftwidth< softtabstop<'
      \ . ' include< suffixesadd< define<'
