namespace Phi.Data.Preparation;

/// <summary>One process at a time prepares a folder. The system drops the lock with its holder, however that ends.</summary>
internal static class FolderLock
{
    public const string FileName = "prepare.lock";
    /// <summary>EWOULDBLOCK on Linux: what flock says of a lock that another process holds.</summary>
    private const int HeldByAnother = 11;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <exception cref="DataException">Another process holds it, and this one does not wait.</exception>
    public static async Task<IDisposable> TakeAsync(string folder, bool wait, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult == HeldByAnother)
            {
                if (!wait)
                {
                    throw new DataException($"{folder} is being prepared by another process ({e.Message}) Wait for it, or name another folder.");
                }
            }

            await Task.Delay(Interval, cancellationToken);
        }
    }
}
