#compdef pybuild
# Completion of pybuild's command line in zsh; what it offers comes from `pybuild --complete`.

_pybuild() {
    local -a fields names ended open shown_ended shown_open
    local program=${(Q)words[1]}
    fields=("${(@0)$(${program/#\~/$HOME} --complete zsh "${(Q)PREFIX}" "${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
    case $fields[1] in
        files | folders)
            compset -P '*='
            if [[ $fields[1] == files ]]; then _files; else _files -/; fi
            return
            ;;
    esac
    # Each is a name, a tab and what it is. A loop over 10,000 of them would take too long.
    names=("${(@)fields[2,-1]:#($'\t'*|)}")
    open=("${(@M)names:#*[/=]$'\t'*}")
    ended=("${(@)names:#*[/=]$'\t'*}")
    shown_open=("${(@)${(@)open/$'\t'/  -- }%  -- }")
    shown_ended=("${(@)${(@)ended/$'\t'/  -- }%  -- }")
    open=("${(@)open%%$'\t'*}")
    ended=("${(@)ended%%$'\t'*}")
    local result=1
    (( $#ended )) && compadd -l -d shown_ended -a ended && result=0
    (( $#open )) && compadd -l -S '' -d shown_open -a open && result=0
    return result
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _pybuild "$@"
else
    compdef _pybuild pybuild
fi
