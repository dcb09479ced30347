# Completion of epctl for bash: source <(epctl completion bash)

_epctl() {
	# Bash has split the line at colons and equals signs too: put what has no space between together again.
	local line=${COMP_LINE:0:COMP_POINT} words=() n=-1 i piece
	for ((i = 0; i <= COMP_CWORD; i++)); do
		if [[ $i -eq 0 || $line == [[:space:]]* ]]; then
			line=${line#"${line%%[![:space:]]*}"}
			n=$((n + 1))
			words[n]=
		fi
		piece=${COMP_WORDS[i]:0:${#line}}
		words[n]+=$piece
		line=${line:${#piece}}
	done
	local current=${words[n]#[\"\']}
	unset "words[n]"

	# What bash replaces is only the part of the word after the last colon or equals sign, and that is $2.
	local kept=${current%"${2#[\"\']}"} candidate
	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		# An endpoint may go on behind it, and so may a directory; a flag that needs a value does.
		[[ $candidate == -*[!=] || $candidate != *[:=]* && $candidate != */ ]] && candidate+=' '
		COMPREPLY+=("${candidate#"$kept"}")
	done < <("${words[0]}" __complete -- "${words[@]:1}" "$current" 2>/dev/null)
}

complete -o nospace -F _epctl epctl
