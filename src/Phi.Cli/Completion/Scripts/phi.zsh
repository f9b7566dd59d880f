#compdef phi
# Completion of phi for zsh: source <(phi completion zsh)
_phi_complete() {
  local line directive=:4
  local -a candidates
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=$line ;;
      ?*) candidates+=("${line%%$'\t'*}") ;;
    esac
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#candidates} )) && compadd -- "${candidates[@]}"
  [[ $directive == :0 ]] && _files
  return 0
}
compdef _phi_complete phi
