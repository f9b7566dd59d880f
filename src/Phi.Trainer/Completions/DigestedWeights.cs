using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Weights;

namespace Phi.Trainer.Completions;

/// <summary>Weights that are hashed as they are read: the same model has the same digest, from a checkpoint and from a folder of transformers'.</summary>
internal sealed class DigestedWeights(IModelWeights weights) : IModelWeights
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public ModelConfiguration Model => weights.Model;

    public string Location => weights.Location;

    /// <summary>SHA-256 over what has been read, in lowercase hexadecimal.</summary>
    public string Digest => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public byte[]? TryReadFile(string name) => weights.TryReadFile(name);

    public void Read(string tensor, long first, Span<float> into)
    {
        weights.Read(tensor, first, into);
        _hash.AppendData(Encoding.UTF8.GetBytes(tensor));
        _hash.AppendData(MemoryMarshal.AsBytes(into));
    }

    public void Dispose() => _hash.Dispose();
}
