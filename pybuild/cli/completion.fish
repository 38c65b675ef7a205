# Completion of pybuild's command line in fish; what it offers comes from `pybuild --complete`.

function __pybuild_complete
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l program (string replace -r -- '^~' $HOME $before[1])
    set -l fields (command $program --complete fish "$word" $before[2..-1] 2>/dev/null | string split0)
    set -l start (string match -r -- '^--[a-z_-]+=|^[A-Za-z_]\w*=' "$word")
    set -q start[1]; or set start ''
    switch "$fields[1]"
        case files
            string join0 -- $start(__fish_complete_path (string replace -- "$start" '' "$word")) | string split0
        case folders
            string join0 -- $start(__fish_complete_directories (string replace -- "$start" '' "$word") '') | string split0
        case '*'
            string join0 -- $fields[2..-1] | string split0
    end
end

complete -c pybuild -f -a '(__pybuild_complete)'
