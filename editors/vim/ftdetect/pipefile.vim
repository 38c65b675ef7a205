autocmd BufNewFile,BufRead Pipefile,*.pipe setfiletype pipefile
