namespace Phi.Checkpoints.Stores;

/// <summary>What a failure of a file system asks for.</summary>
internal static class FolderFaults
{
    private const int NotPermitted = 1;
    private const int InputOutput = 5;
    private const int AccessDenied = 13;
    private const int NotADirectory = 20;
    private const int NoSpaceLeft = 28;
    private const int ReadOnly = 30;
    private const int TimedOut = 110;
    private const int HostDown = 112;
    private const int NoRoute = 113;
    private const int StaleHandle = 116;
    private const int QuotaExceeded = 122;

    /// <summary>Of a network file system whose server is away for a moment.</summary>
    public static bool IsPassing(IOException error) => error.HResult is InputOutput or StaleHandle or TimedOut or HostDown or NoRoute;

    public static StorageException Of(string path, Exception error) => error.HResult switch
    {
        NoSpaceLeft or QuotaExceeded => new StorageException($"{path}: no space is left ({error.Message}); make room, or save to another folder", error) { Fault = StorageFault.Failed },
        _ when error is UnauthorizedAccessException || error.HResult is NotPermitted or AccessDenied or NotADirectory or ReadOnly =>
            new StorageException($"{path}: access is refused ({error.Message}); let the pods write there, or name another folder", error) { Fault = StorageFault.Refused },
        TimedOut or HostDown or NoRoute or StaleHandle => new StorageException($"{path}: the file system does not answer ({error.Message}); look at its server", error),
        _ => new StorageException($"{path}: {error.Message}", error) { Fault = StorageFault.Failed },
    };
}
