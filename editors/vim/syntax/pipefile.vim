" Colours of Pipefiles, with Python and shell in theirs.

if exists('b:current_syntax')
  finish
endif

let b:is_bash = 1
syntax include @pipefilePython syntax/python.vim
unlet! b:current_syntax
syntax include @pipefileShell syntax/sh.vim
unlet! b:current_syntax

" Headers. What is defined later wins where both begin, so a line that nothing below knows is one.
syntax region pipefileHeader start="^\%([^[:space:]#@]\)\@=" skip="\\$" end="$" keepend
      \ contains=pipefileKind,pipefileRule,pipefileSpecial,pipefilePrerequisites,pipefileComment,@pipefileWord
syntax region pipefilePrerequisites matchgroup=pipefileSeparator start="&\?:" skip="\\$" end="$" contained
      \ contains=pipefileSeparator,pipefileOrderOnly,pipefileComment,@pipefileWord
syntax match pipefileSeparator "&\?:" contained
syntax match pipefileOrderOnly "|" contained
syntax match pipefileSpecial "^\.PHONY\ze\s*:" contained
syntax match pipefileKind "^\%(split\|collate\|product\|value\)\ze\s\+[^[:space:]:&|=?+]" contained
syntax match pipefileKind "^\%(combinations_with_replacement\|combinations\|permutations\)\ze(" contained
" A name is followed by a colon, and there is one more; a % between them makes a static pattern.
syntax match pipefileRule
      \ /\%(^\|^\%(split\|collate\|product\)\s\+\|^\w\+([^()]*)\s\+\)\@<=\h\w*\ze\s*:\%([^:"<\\%#]\|\\.\|"[^"]*"\|<\h[^<>]*>\|<\h\@!\)\+:/
      \ contained nextgroup=pipefileSeparator skipwhite
syntax match pipefileRule "\%(^value\s\+\)\@<=\h\w*\ze\s*:" contained

" Words.
syntax cluster pipefileWord contains=pipefileAlias,pipefileEscape,pipefilePlaceholder,pipefileQuoted,pipefileWildcard
syntax match pipefileAlias "\%(^\|[[:space:]:|]\)\@1<=\h\w*\ze=[^[:space:]:|]" contained
syntax match pipefileEscape "\\." contained
syntax match pipefileWildcard "\*\+\|?\|%\|\[[^][:space:]]*\]" contained
syntax region pipefileQuoted start=+"+ skip=+\\.+ end=+"+ oneline contained contains=pipefileEscape,pipefilePlaceholder

" Placeholders: in words, in texts of attributes, in shell text but for its comments.
syntax match pipefilePlaceholder /\\\@1<!<\h\w*\%(:[^<>]\+\|\%(\.\h\w*\|\[-\?\d\+\]\|(\%([^()"'<>]\|"[^"]*"\|'[^']*'\|([^()]*)\)*)\)*\)>/
      \ contained contains=pipefileReserved,pipefileFilePart
      \ containedin=sh\w*\%(Comment\)\@<!\%(Todo\)\@<!,bash\w*
syntax match pipefileReserved "<\@1<=\%(input\|inputs\|output\|outputs\|order_only\|changed\|stem\|rule\|path\|basename\|ext\|filename\|subdir\|subpath\)\>" contained
syntax match pipefileFilePart "\.\%(path\|basename\|ext\|filename\|subdir\|subpath\)\>"ms=s+1 contained

" Expressions of Python: they go on in brackets.
syntax region pipefileExpression start="\S" end="$" contained contains=pipefileComment,@pipefilePython,pipefileBuiltin,pipefileBrackets
syntax region pipefileBrackets matchgroup=pipefileDelimiter start="(" end=")" contained contains=@pipefilePython,pipefileBuiltin,pipefileBrackets
syntax region pipefileBrackets matchgroup=pipefileDelimiter start="\[" end="\]" contained contains=@pipefilePython,pipefileBuiltin,pipefileBrackets
syntax region pipefileBrackets matchgroup=pipefileDelimiter start="{" end="}" contained contains=@pipefilePython,pipefileBuiltin,pipefileBrackets
syntax keyword pipefileBuiltin contained glob env sh read config run Path
syntax keyword pipefileJobName contained input inputs output outputs order_only changed stem rule

" Statements.
syntax match pipefileVariable "^\h\w*\ze\s*[?+]\?==\@!" nextgroup=pipefileAssign skipwhite
syntax match pipefileAssign "[?+]\?=" contained nextgroup=pipefileExpression skipwhite
syntax region pipefileFiles start="\S" skip="\\$" end="$" contained contains=pipefileComment,@pipefileWord
syntax match pipefileInclude "^-\?include\ze\s" nextgroup=pipefileFiles skipwhite
syntax match pipefileAttribute
      \ "^@\%(active_if\|always\|atomic\|before\|cached\|depends\|depfile\|desc\|env\|follows\|for_each\|ignore_errors\|jobs_limit\|mkdir\|optional\|params\|phony\|pool\|posttask\|precious\|protected\|resources\|retries\|service\|shell\|silent\|temp\|timeout\|touch\|uptodate_if\)\>"
      \ nextgroup=pipefileArguments skipwhite
syntax region pipefileArguments matchgroup=pipefileDelimiter start="(" end=")" contained
      \ contains=pipefileText,pipefileNested,pythonNumber,pythonStatement,pythonOperator,pythonBuiltin,pythonComment,pipefileBuiltin
syntax region pipefileNested matchgroup=pipefileDelimiter start="(" end=")" contained
      \ contains=pipefileText,pipefileNested,pythonNumber,pythonStatement,pythonOperator,pythonBuiltin,pythonComment,pipefileBuiltin
syntax region pipefileText start=+"+ skip=+\\.+ end=+"+ oneline contained contains=pipefileEscape,pipefilePlaceholder
syntax region pipefileText start=+'+ skip=+\\.+ end=+'+ oneline contained contains=pipefileEscape,pipefilePlaceholder

" Blocks. They end before the next line at the margin that is no comment.
syntax region pipefilePythonBlock matchgroup=pipefileKeyword start="^python\s*:\ze\s*\%(#.*\)\?$" end="^\ze[^[:space:]#]"
      \ keepend contains=@pipefilePython,pipefileBuiltin
syntax region pipefileRecipe start="^\ze\s\+\S" end="^\ze[^[:space:]#]" keepend
      \ contains=@pipefileShell,pipefileRecipePython,pipefilePlaceholder,pipefileHere
syntax region pipefileRecipePython matchgroup=pipefileKeyword start="^\z(\s\+\)python\s*:\ze\s*\%(#.*\)\?$"
      \ skip="^\s*$" end="^\ze\%(\z1\s\)\@!" contained keepend
      \ contains=@pipefilePython,pipefileBuiltin,pipefileJobName
" The end word is indented like the recipe, which sh.vim does not expect.
syntax region pipefileHere start=+<\@1<!<<-\?\s*\\\?\z(\h\w*\)+ end=+^\s\+\z1$+ contained contains=pipefilePlaceholder
      \ containedin=sh\w*\%(Comment\)\@<!\%(Quote\)\@<!\%(String\)\@<!
syntax region pipefileHere start=+<\@1<!<<-\?\s*\(["']\)\z([^"']\+\)\1+ end=+^\s\+\z1$+ contained contains=pipefilePlaceholder
      \ containedin=sh\w*\%(Comment\)\@<!\%(Quote\)\@<!\%(String\)\@<!

syntax match pipefileComment "^#.*$" containedin=pipefileRecipe,pipefilePythonBlock
" Without `$`, with which Vim would carry an expression on to the next line.
syntax match pipefileComment excludenl "#.*" contained

syntax sync match pipefileSync grouphere NONE "^\%(\h\|@\)"
syntax sync maxlines=1000

highlight default link pipefileAlias Identifier
highlight default link pipefileAssign Operator
highlight default link pipefileAttribute PreProc
highlight default link pipefileBuiltin Function
highlight default link pipefileComment Comment
highlight default link pipefileDelimiter Delimiter
highlight default link pipefileEscape SpecialChar
highlight default link pipefileFilePart Identifier
highlight default link pipefileHere String
highlight default link pipefileInclude Include
highlight default link pipefileJobName Special
highlight default link pipefileKeyword Keyword
highlight default link pipefileKind StorageClass
highlight default link pipefileOrderOnly Operator
highlight default link pipefilePlaceholder Special
highlight default link pipefileQuoted String
highlight default link pipefileReserved Special
highlight default link pipefileRule Function
highlight default link pipefileSeparator Delimiter
highlight default link pipefileSpecial PreProc
highlight default link pipefileText String
highlight default link pipefileVariable Identifier
highlight default link pipefileWildcard SpecialChar

let b:current_syntax = 'pipefile'
