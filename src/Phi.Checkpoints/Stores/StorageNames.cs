namespace Phi.Checkpoints.Stores;

internal static class StorageNames
{
    /// <summary>A file as messages name it: its path, or its address.</summary>
    public static string Describe(this ICheckpointStorage storage, string name) => Describe(storage.UriOf(name));

    public static string Describe(Uri uri) => uri.IsFile ? uri.LocalPath : uri.AbsoluteUri;
}
