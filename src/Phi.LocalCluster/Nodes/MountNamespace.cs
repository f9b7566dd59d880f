using System.Diagnostics;
using System.Globalization;

namespace Phi.LocalCluster.Nodes;

/// <summary>
/// Starts a command with mounts that nobody else sees: in a mount namespace of its own, as root or in a user namespace, by the tools of
/// util-linux. The command keeps the process id, because every step replaces itself by the next.
/// </summary>
/// <remarks>
/// Where a mount point is missing, its nearest existing folder is covered by a memory file system that holds everything of the folder,
/// bound from where it was, and the mount point. So the machine's own file system stays as it is, and what the container writes in
/// folders that were there before goes where it went before.
/// </remarks>
internal static class MountNamespace
{
    private const string Script = """
        phi_path=$PATH; PATH=/usr/sbin:/usr/bin:/sbin:/bin
        # The table in /run/mount is not this namespace's, and not everybody may write it.
        mount() { command mount --no-mtab "$@"; }
        phi_fail() { printf '%s\n' "$1" >&2; exit 125; }
        phi_cover() {
          local folder=${1%/} child name
          local -a children
          [[ -d $1 ]] || phi_fail "$1 is no folder"
          shopt -s nullglob dotglob; children=("$folder"/*); shopt -u nullglob dotglob
          ((${#children[@]} <= 2000)) || phi_fail "$1 has ${#children[@]} entries, too many to add a mount point beside them; choose a mountPath in another folder"
          mount -t tmpfs -o "mode=$(stat -c %a -- "$1")" phi-pod "$phi_stage" && mount --make-unbindable "$phi_stage" || phi_fail "no memory file system can be mounted for a mount point in $1"
          for child in "${children[@]}"; do
            name=${child##*/}
            if [[ -L $child ]]; then cp -P -- "$child" "$phi_stage/$name"
            elif [[ -d $child ]]; then mkdir -- "$phi_stage/$name" && mount --rbind "$child" "$phi_stage/$name"
            else : > "$phi_stage/$name" && mount --bind "$child" "$phi_stage/$name"
            fi || [[ ! -e $child ]] || phi_fail "$child cannot be kept beside a mount point"
          done
          mount --make-private "$phi_stage" || phi_fail "no mount point can be made in $1"
          if [[ $1 == / ]]; then cd "$phi_stage" && pivot_root . . && umount -l . && cd /
          else mount --move "$phi_stage" "$1"
          fi || phi_fail "no mount point can be made in $1"
          phi_own+=$1$'\n'
        }
        phi_place() {
          local source=$1 target ancestor
          target=$(readlink -m -- "$2"); ancestor=$target
          while [[ ! -e $ancestor ]]; do ancestor=${ancestor%/*}; ancestor=${ancestor:-/}; done
          if [[ $ancestor != "$target" ]]; then
            [[ $phi_own == *$'\n'"$(stat -c %m -- "$ancestor")"$'\n'* ]] || phi_cover "$ancestor"
            if [[ -d $source ]]; then mkdir -p -- "$target"; else mkdir -p -- "${target%/*}" && : > "$target"; fi || phi_fail "no mount point can be made at $2"
          fi
          mount --rbind "$source" "$target" || phi_fail "nothing can be mounted at $2"
          [[ $3 == rw ]] || mount -o remount,bind,ro "$target" || phi_fail "$2 cannot be made read-only"
          [[ $4 == host ]] || phi_own+=$target$'\n'
        }
        phi_own=$'\n' phi_stage=$1/stage phi_sources=$1 phi_folder=$2 phi_count=$3; shift 3
        for ((phi_i = 0; phi_i < phi_count; phi_i++)); do
          # Held here first: a mount may hide where the next one comes from.
          mount --rbind "${@:phi_i * 4 + 1:1}" "$phi_sources/$phi_i" || phi_fail "${@:phi_i * 4 + 1:1} cannot be mounted"
        done
        for ((phi_i = 0; phi_i < phi_count; phi_i++)); do phi_place "$phi_sources/$phi_i" "${@:phi_i * 4 + 2:3}"; done
        shift $((phi_count * 4))
        PATH=$phi_path
        cd -- "$phi_folder" || phi_fail "workingDir $phi_folder is not there"
        unset OLDPWD
        exec -- "$@"
        """;

    private static readonly string[] AsRoot = ["/usr/bin/unshare", "--mount", "--propagation", "private"];
    private static readonly string[] AsUser = ["/usr/bin/unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"];

    /// <summary>The command, wrapped; tried out first, so that a mount that cannot be made is an error here and not a broken container.</summary>
    /// <exception cref="PodException">UnsupportedVolume: what the kernel or the machine refuses.</exception>
    public static async Task<IReadOnlyList<string>> WrapAsync(string container, IReadOnlyList<ContainerMount> mounts, string workingDirectory, PodFolder folder, IReadOnlyList<string> command, CancellationToken ct)
    {
        var sources = folder.Mounts(container);
        Directory.CreateDirectory(Path.Combine(sources, "stage"));
        List<string> arguments = ["/bin/bash", "-p", "-c", Script, "phi-node", sources, workingDirectory, mounts.Count.ToString(CultureInfo.InvariantCulture)];
        foreach (var (index, mount) in mounts.Index())
        {
            MakePoint(Path.Combine(sources, index.ToString(CultureInfo.InvariantCulture)), mount.Source);
            arguments.AddRange([mount.Source, mount.Target, mount.IsReadOnly ? "ro" : "rw", mount.IsOwn ? "own" : "host"]);
        }

        var problem = "";
        foreach (var unshare in Environment.IsPrivilegedProcess ? [AsRoot, AsUser] : new[] { AsUser })
        {
            var error = await TryAsync([.. unshare, .. arguments, "/bin/true"], folder.Path, ct);
            if (error is null)
            {
                return [.. unshare, .. arguments, .. command];
            }

            problem = problem.Length == 0 || problem == error ? error : $"{problem}; in a user namespace: {error}";
        }

        throw new PodException("UnsupportedVolume", $"container {container}: its volumes need a mount namespace, and this machine gives none for them: {problem}. Run the node as root, allow user namespaces, or use paths of this machine without volumes");
    }

    private static void MakePoint(string point, string source)
    {
        if (Directory.Exists(source))
        {
            Directory.CreateDirectory(point);
        }
        else if (!File.Exists(point))
        {
            File.WriteAllBytes(point, []);
        }
    }

    /// <summary>What went wrong; null if nothing did.</summary>
    private static async Task<string?> TryAsync(IReadOnlyList<string> command, string folder, CancellationToken ct)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var error = await process.StandardError.ReadToEndAsync(ct);
            await output;
            await process.WaitForExitAsync(ct);
            return process.ExitCode == 0 ? null : string.Join(": ", error.Trim().Split('\n').Reverse());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"{command[0]}: {e.Message}";
        }
    }
}
