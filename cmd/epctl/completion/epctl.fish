# Completion of epctl for fish: epctl completion fish | source

function __epctl_complete
	set -l words (commandline -opc)
	set -l program $words[1]
	set -e words[1]
	set -l current (commandline -ct | string replace -r '^["\']' '')
	$program __complete -- $words "$current" 2>/dev/null
end

complete -c epctl -f -a '(__epctl_complete)'
