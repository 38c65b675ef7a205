" Indentation while typing: recipes and blocks are indented, all else is left where it is, for nobody
" but the author knows where a recipe ends and what its lines mean.

if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=GetPipefileIndent() indentkeys=!^F,o,O
let b:undo_indent = 'setlocal indentexpr< indentkeys<'

if exists('*GetPipefileIndent')
  finish
endif

function GetPipefileIndent() abort
  let before = getline(v:lnum - 1)
  if getline(v:lnum) =~# '\S' && mode() !~# '[iR]'
    return -1
  endif
  if v:lnum == 1 || before !~# '\S'
    return 0
  endif
  let depth = indent(v:lnum - 1)
  return depth + (s:Opens(before) ? shiftwidth() : 0)
endfunction

" Whether what follows a line belongs below it: a header, a line of Python that ends in a colon, a line
" that goes on.
function s:Opens(line) abort
  if a:line =~# '^\%(\s\|python\)'
    return a:line =~# '^[^#]*:\s*\%(#.*\)\?$'
  endif
  if a:line =~# '^[#@.]\|^\h\w*\s*[?+]\?='
    return 0
  endif
  return a:line =~# '^[^#]*:' || a:line =~# '\\$'
endfunction
