# Completion of pybuild's command line in bash; what it offers comes from `pybuild --complete`.

_pybuild() {
    # The words up to the cursor. Bash takes `=` and `:` for words of their own; here a word ends
    # where a blank follows.
    local rest=${COMP_LINE:0:COMP_POINT} word i
    local -a words=() fields=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest == [[:blank:]]* ]]; then
            rest=${rest#"${rest%%[![:blank:]]*}"}
            words+=("")
        fi
        ((i < COMP_CWORD)) || word=$rest
        words[${#words[@]} - 1]+=$word
        rest=${rest:${#word}}
    done
    local last=$((${#words[@]} - 1))
    # Behind each field there is a null character, up to which bash would read byte by byte: 0.2 s for
    # 10,000 names. So they become lines, and line ends in names something else for a while.
    word=$("${1/#\~/$HOME}" --complete bash "${words[last]}" "${words[@]:1:last-1}" 2>/dev/null |
        tr '\0\n' '\n\001')
    IFS=$'\n' read -r -d '' -a fields <<< "$word"
    [[ $word != *$'\001'* ]] || fields=("${fields[@]//$'\001'/$'\n'}")
    case ${fields[0]-} in
        files | folders)
            # Bash completes them itself.
            compopt -o filenames 2>/dev/null
            local kind=-f
            [[ ${fields[0]} == files ]] || kind=-d
            word=${COMP_WORDS[COMP_CWORD]}
            [[ $word != [=:] ]] || word=
            COMPREPLY=()
            while IFS= read -r word; do
                COMPREPLY+=("$word")
            done < <(compgen "$kind" -- "$word")
            ;;
        *)
            COMPREPLY=("${fields[@]:1}")
            if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[/=] ]]; then
                compopt -o nospace 2>/dev/null
            fi
            ;;
    esac
}
complete -F _pybuild pybuild
