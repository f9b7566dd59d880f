using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Phi.StandIns;

/// <summary>Builds a shared library from C++ sources with g++, once for each content of the sources; safe with other processes that do the same.</summary>
internal static class NativeBuild
{
    private static readonly string[] Flags = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread"];
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(20);

    /// <summary>Where built libraries lie, for every project of the checkout.</summary>
    public static string Artifacts { get; } = Path.Combine(Repository.Root, "artifacts", "stand-ins");

    /// <summary>The copy of native/ beside the running program.</summary>
    public static string Sources { get; } = Path.Combine(AppContext.BaseDirectory, "native");

    /// <param name="folder">Of the sources, under native/; headers of the other folders may be included.</param>
    /// <param name="libraries">Paths of libraries to link with.</param>
    /// <param name="defines">NAME=VALUE.</param>
    /// <returns>Path of the library.</returns>
    public static string Library(string folder, IReadOnlyList<string> libraries, params string[] defines)
    {
        var sources = Directory.GetFiles(Path.Combine(Sources, folder), "*.cpp").Order(StringComparer.Ordinal).ToList();
        string[] arguments = [.. Flags, .. defines.Select(define => "-D" + define), "-I" + Sources, .. sources, .. libraries, "-ldl"];
        var target = Path.Combine(Artifacts, $"lib{folder}-{Digest([.. Flags, .. defines, .. libraries])}.so");
        Directory.CreateDirectory(Artifacts);
        if (!File.Exists(target))
        {
            using var hold = Lock(target + ".lock");
            if (!File.Exists(target))
            {
                Compile(arguments, target);
            }
        }

        return target;
    }

    private static void Compile(string[] arguments, string target)
    {
        var unfinished = $"{target}.{Environment.ProcessId}";
        var start = new ProcessStartInfo("g++", [.. arguments, "-o", unfinished]) { RedirectStandardError = true };
        using var compiler = Process.Start(start) ?? throw new InvalidOperationException("g++ did not start; install it (apt-get install g++)");
        var log = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        if (compiler.ExitCode != 0)
        {
            throw new InvalidOperationException($"g++ could not build {Path.GetFileName(target)}:\n{log}");
        }

        File.Move(unfinished, target, overwrite: true);
    }

    /// <summary>Of every source and header, and of what else goes into the library.</summary>
    private static string Digest(string[] options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Join('\n', options)));
        foreach (var file in Directory.GetFiles(Sources, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static FileStream Lock(string path)
    {
        for (; ; )
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                Thread.Sleep(LockRetry);
            }
        }
    }
}
