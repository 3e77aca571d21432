"""What shells are told, so that they ask ``varlink complete`` about the words of its command lines."""

from __future__ import annotations

__all__ = ["SCRIPTS"]

_BASH = r"""# Completion of varlink in bash.
_varlink() {
    local program=varlink
    [[ $1 == */* ]] && program=${1/#\~\//$HOME/}
    mapfile -t COMPREPLY < <(
        "$program" complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null
    )
    case ${COMPREPLY[0]-} in
        :files) COMPREPLY=() && compopt +o nospace -o default ;;
        :folders) COMPREPLY=() && compopt +o nospace -o dirnames ;;
    esac
}
complete -o nospace -F _varlink varlink
"""

_ZSH = r"""#compdef varlink
# Completion of varlink in zsh.
_varlink() {
    local program=${(Q)words[1]} line result=1
    local -a complete open
    [[ $program == */* ]] || program=varlink
    for line in ${(f)"$(${~program} complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)"}; do
        case $line in
            :files*) compset -p ${line#:files}; _files && result=0 ;;
            :folders*) compset -p ${line#:folders}; _files -/ && result=0 ;;
            '='*) complete+=("${line#=}") ;;
            '+'*) open+=("${line#+}") ;;
        esac
    done
    (( $#complete )) && _describe -t words 'word' complete && result=0
    (( $#open )) && _describe -t words 'word' open -S '' && result=0
    return result
}
if [[ $funcstack[1] == _varlink ]]; then
    _varlink "$@"
else
    compdef _varlink varlink
fi
"""

_FISH = r"""# Completion of varlink in fish.
function __varlink_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l program varlink
    string match -q '*/*' -- $words[1]; and set program $words[1]
    set -e words[1]
    for line in (command $program complete fish $words "$word" 2>/dev/null)
        set -l kept (string match -r '^:(?:files|folders)(\d+)$' -- $line)[2]
        if test -z "$kept"
            echo $line
            continue
        end
        set -l before (string sub -l $kept -- $word)
        set -l path (string sub -s (math $kept + 1) -- $word)
        if string match -q ':files*' -- $line
            string replace -r '^' "$before" -- (__fish_complete_path "$path")
        else
            string replace -r '^' "$before" -- (__fish_complete_directories "$path")
        end
    end
end
complete -c varlink -f -a '(__varlink_complete)'
"""

#: By the name of the shell.
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
