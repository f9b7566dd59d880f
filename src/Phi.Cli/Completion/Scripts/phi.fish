# Completion of phi for fish: phi completion fish | source
function __phi_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if string match -qr '^:[0-9]+$' -- $line
            test $line = :0; and __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c phi -f -a '(__phi_complete)'
