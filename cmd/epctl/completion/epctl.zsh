#compdef epctl
# Completion of epctl for zsh: source <(epctl completion zsh), behind compinit

_epctl() {
	local -a closed closedDocs open openDocs
	local line text shown
	for line in "${(@f)$("${(Q)words[1]}" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
		text=${line%%$'\t'*} shown="${line/$'\t'/  -- }"
		if [[ $text == -*[^=] || -n $text && $text != *[:=]* && $text != */ ]]; then
			closed+=("$text") closedDocs+=("$shown")
		elif [[ -n $text ]]; then # an endpoint or a directory may go on, and a flag that needs a value does
			open+=("$text") openDocs+=("$shown")
		fi
	done
	compadd -l -d closedDocs -a closed
	compadd -S '' -l -d openDocs -a open
}

# Run by compinit from a directory of fpath, this is the function's body; sourced, it has to be made known.
if [[ $funcstack[1] == _epctl ]]; then
	_epctl "$@"
else
	compdef _epctl epctl
fi
