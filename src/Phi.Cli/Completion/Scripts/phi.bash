# Completion of phi for bash: source <(phi completion bash)
_phi_complete() {
  local current=${COMP_WORDS[COMP_CWORD]} line directive=:4
  # bash splits --option=value at the '='; phi wants it whole, and bash only what comes after.
  local words=() i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    local count=${#words[@]}
    if ((count > 0)) && { [ "${COMP_WORDS[i]}" = "=" ] || [[ ${words[count - 1]} == --*= && ${COMP_WORDS[i - 1]} == "=" ]]; }; then
      words[count - 1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  [ "$current" = "=" ] && current=
  local typed=${words[${#words[@]} - 1]}
  local ahead=${typed%"$current"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=$line ;;
      ?*) line=${line%%$'\t'*} && COMPREPLY+=("${line#"$ahead"}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  if [ "$directive" = :0 ]; then
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
  fi
  [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _phi_complete phi ./phi
