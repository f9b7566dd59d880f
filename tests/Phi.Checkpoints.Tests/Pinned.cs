using System.Runtime.InteropServices;
using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Tests;

/// <summary>Arrays as shard tensors for the time of a call.</summary>
internal static class Pinned
{
    public static T With<T>(float[][] arrays, Func<IReadOnlyList<ShardTensor>, T> body) => With(arrays, [.. arrays.Select((_, i) => $"tensor-{i}")], body);

    public static unsafe T With<T>(float[][] arrays, string[] names, Func<IReadOnlyList<ShardTensor>, T> body)
    {
        var handles = arrays.Select(array => GCHandle.Alloc(array, GCHandleType.Pinned)).ToList();
        try
        {
            return body([.. arrays.Select((array, i) => new ShardTensor(names[i], (float*)handles[i].AddrOfPinnedObject(), array.Length))]);
        }
        finally
        {
            handles.ForEach(handle => handle.Free());
        }
    }
}
