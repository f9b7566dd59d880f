using System.Text.Json;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;

namespace Phi.Checkpoints.Tests;

/// <summary>Small models as Hugging Face folders, and what the tests read of them.</summary>
internal static class ModelFiles
{
    public static ModelConfiguration Small { get; } = new() { Layers = 2, HiddenSize = 12, Heads = 3, RotaryDim = 2, MlpSize = 20, VocabularySize = 257, SequenceLength = 16 };

    /// <summary>A model in memory whose values the type holds exactly.</summary>
    public static IModelWeights Random(ModelConfiguration model, WeightType type, int seed)
    {
        var random = new Random(seed);
        var tensors = UnitLayout.Of(model).SelectMany(unit => unit.Tensors).ToDictionary(tensor => tensor.Name, tensor =>
        {
            var values = new float[tensor.Length];
            var bytes = new byte[values.Length * type.Size()];
            for (var i = 0; i < values.Length; i++)
            {
                // From subnormal to large in each type.
                values[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-24, 15)));
            }

            type.Narrow(values, bytes);
            type.Widen(bytes, values);
            return values;
        });
        return new Memory(model, tensors);
    }

    public static void Write(IModelWeights weights, string folder, WeightType type, long maxShardBytes = long.MaxValue) =>
        HuggingFaceExport.Write(weights, 7, folder, type, maxShardBytes, null, CancellationToken.None);

    public static CheckpointWeights Import(string from, string root, int shards, long alignment = ShardLayout.DefaultAlignment)
    {
        using (var weights = HuggingFaceWeights.Open(from))
        {
            HuggingFaceImport.Write(weights, root, new ImportOptions { Shards = shards, Alignment = alignment }, TimeProvider.System, null, CancellationToken.None);
        }

        return Open(root);
    }

    public static CheckpointWeights Open(string path)
    {
        var (store, manifest) = CheckpointLocation.Find(path, (_, problem) => Assert.Fail(problem.Message));
        return new CheckpointWeights(store, manifest);
    }

    /// <summary>Bits of every value, by tensor.</summary>
    public static Dictionary<string, int[]> Values(IModelWeights weights) =>
        UnitLayout.Of(weights.Model).SelectMany(unit => unit.Tensors).ToDictionary(tensor => tensor.Name, tensor =>
        {
            var values = new float[tensor.Length];
            // In two parts, so that a part need not begin at the tensor's start.
            weights.Read(tensor.Name, 0, values.AsSpan(0, values.Length / 3));
            weights.Read(tensor.Name, values.Length / 3, values.AsSpan(values.Length / 3));
            return Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
        });

    /// <summary>Type, shape and bytes of every tensor of a folder's safetensors files, read without the code under test.</summary>
    public static Dictionary<string, string> RawTensors(string folder) =>
        Directory.GetFiles(folder, "*.safetensors").SelectMany(file =>
        {
            var bytes = File.ReadAllBytes(file);
            var header = (int)BitConverter.ToInt64(bytes);
            using var json = JsonDocument.Parse(bytes.AsMemory(8, header));
            Assert.Equal("pt", json.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
            return json.RootElement.EnumerateObject().Where(tensor => tensor.Name != "__metadata__").Select(tensor =>
            {
                var offsets = tensor.Value.GetProperty("data_offsets");
                var data = bytes.AsSpan(8 + header + offsets[0].GetInt32(), offsets[1].GetInt32() - offsets[0].GetInt32());
                return KeyValuePair.Create(tensor.Name, $"{tensor.Value.GetProperty("dtype")} {tensor.Value.GetProperty("shape")} {Convert.ToHexString(data)}");
            }).ToList();
        }).ToDictionary();

    private sealed class Memory(ModelConfiguration model, Dictionary<string, float[]> tensors) : IModelWeights
    {
        public ModelConfiguration Model => model;

        public string Location => "memory";

        public byte[]? TryReadFile(string name) => null;

        public void Read(string tensor, long first, Span<float> into) => tensors[tensor].AsSpan((int)first, into.Length).CopyTo(into);

        public void Dispose()
        {
        }
    }
}
