using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Phi.Data.Quality;

/// <summary>
/// One <c>python3</c> that parses what it is given and runs none of it. It has 2 GiB of memory, may write no file, and reads no settings of
/// the user or of site packages.
/// </summary>
internal sealed class PythonWorker : IDisposable
{
    // The text is decoded here, so that its own line about an encoding loads no codec.
    private const string Program = """
        import ast, resource, struct, sys, warnings
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        warnings.simplefilter('ignore')
        given, said = sys.stdin.buffer, sys.stdout.buffer
        said.write(('%d.%d.%d\n' % sys.version_info[:3]).encode())
        said.flush()
        while True:
            head = given.read(4)
            if len(head) < 4:
                break
            text = given.read(struct.unpack('<I', head)[0])
            try:
                ast.parse(text.decode('utf-8-sig'))
                verdict = b'1'
            except Exception:
                verdict = b'0'
            text = None
            said.write(verdict)
            said.flush()
        """;

    private readonly Process _process;

    private PythonWorker(Process process, string version) => (_process, Version) = (process, version);

    /// <summary>Such as 3.11.7.</summary>
    public string Version { get; }

    /// <exception cref="DataException">There is no python3 3 that runs.</exception>
    public static async Task<PythonWorker> StartAsync(CancellationToken cancellationToken)
    {
        var process = new Process { StartInfo = new ProcessStartInfo("python3", ["-I", "-S", "-c", Program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true } };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            process.Dispose();
            throw new DataException($"python-parses needs python3 on the PATH, which cannot be started: {e.Message}. Install it (on Debian: apt-get install python3-minimal), or leave the rule out.");
        }

        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var version = new List<byte>();
        var one = new byte[1];
        while (version.Count < 32 && await process.StandardOutput.BaseStream.ReadAsync(one, cancellationToken) == 1 && one[0] != '\n')
        {
            version.Add(one[0]);
        }

        var text = Encoding.ASCII.GetString([.. version]);
        if (System.Version.TryParse(text, out var parsed) && parsed.Major >= 3)
        {
            return new PythonWorker(process, text);
        }

        End(process);
        var said = (await error).Trim();
        process.Dispose();
        throw new DataException($"python-parses needs python3 on the PATH, and the one there does not start: {(said.Length > 0 ? said.Split('\n')[^1] : "it said nothing")}. Install Python 3 with its standard library (on Debian: apt-get install python3-minimal), or leave the rule out.");
    }

    /// <returns>Null: the process ended.</returns>
    public async Task<bool?> ParsesAsync(byte[] content, CancellationToken cancellationToken)
    {
        var head = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)content.Length);
        try
        {
            var to = _process.StandardInput.BaseStream;
            await to.WriteAsync(head, cancellationToken);
            await to.WriteAsync(content, cancellationToken);
            await to.FlushAsync(cancellationToken);
            return await _process.StandardOutput.BaseStream.ReadAsync(head.AsMemory(0, 1), cancellationToken) == 1 ? head[0] == '1' : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        End(_process);
        _process.Dispose();
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended already.
        }
    }
}
