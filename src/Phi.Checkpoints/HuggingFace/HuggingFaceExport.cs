using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Weights;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>What an export wrote; <c>--output json</c> prints this.</summary>
public sealed record ExportSummary(string Output, long Step, string Type, int Tensors, long Parameters, long Bytes, IReadOnlyList<string> Files, IReadOnlyDictionary<string, int> Model);

/// <summary>
/// Writes a checkpoint's weights as a folder that transformers' PhiForCausalLM loads. It is made under another name beside its own
/// and renamed last: a folder that is there is whole.
/// </summary>
public static class HuggingFaceExport
{
    public const long DefaultShardBytes = 5_000_000_000;
    /// <summary>Transformers refuses files that do not say which framework's tensors they hold.</summary>
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="output">A folder that does not exist, or is empty.</param>
    /// <param name="maxShardBytes">Most bytes of tensors in a file; a larger tensor has a file of its own.</param>
    /// <exception cref="CheckpointException">The output is taken, or a value does not fit the type.</exception>
    public static ExportSummary Write(IModelWeights from, long step, string output, WeightType type, long maxShardBytes, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxShardBytes, 1);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
        {
            throw new CheckpointException($"'{output}' exists and is not empty; name another folder, or remove it");
        }

        var parent = Path.GetDirectoryName(target) ?? throw new CheckpointException($"'{output}' is the root of the file system; name a folder below it");
        var temporary = Path.Combine(parent, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.partial");
        try
        {
            Directory.CreateDirectory(temporary);
            var summary = Fill(from, step, temporary, type, maxShardBytes, progress, cancellationToken) with { Output = target };
            if (Directory.Exists(target))
            {
                Directory.Delete(target);
            }

            Directory.Move(temporary, target);
            return summary;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"'{output}' cannot be written: {e.Message}", e);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    private static ExportSummary Fill(IModelWeights from, long step, string folder, WeightType type, long maxShardBytes, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var layouts = UnitLayout.Of(from.Model).SelectMany(unit => unit.Tensors).ToList();
        var (done, total) = (0L, layouts.Sum(tensor => tensor.Length) * type.Size());
        var tensors = layouts.ConvertAll(layout => Tensor(from, layout, type, bytes => progress?.Report(new TransferProgress(done += bytes, total))));
        var files = Divide(tensors, maxShardBytes);
        var weightMap = new JsonObject();
        var names = new List<string>();
        foreach (var (i, file) in files.Index())
        {
            names.Add(files.Count == 1 ? HuggingFaceWeights.SingleFile : $"model-{i + 1:D5}-of-{files.Count:D5}.safetensors");
            using var stream = File.Create(Path.Combine(folder, names[^1]));
            _ = SafetensorsFile.Write(stream, file, Metadata, cancellationToken);
            stream.Flush(flushToDisk: true);
            file.ForEach(tensor => weightMap[tensor.Name] = names[i]);
        }

        if (files.Count > 1)
        {
            WriteJson(HuggingFaceWeights.IndexFile, new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = weightMap });
        }

        WriteJson(PhiConfig.FileName, PhiConfig.Write(from.Model, type, TokenizerFolder.EndOfText(from)));
        names.AddRange(TokenizerFolder.Copy(from, (name, content) => File.WriteAllBytes(Path.Combine(folder, name), content)));
        return new ExportSummary(folder, step, type.ToString(), tensors.Count, layouts.Sum(tensor => tensor.Length), total, names, from.Model.ToDimensions());

        void WriteJson(string name, JsonObject content)
        {
            File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Indented) + "\n");
            names.Add(name);
        }
    }

    private static StreamedTensor Tensor(IModelWeights from, TensorLayout layout, WeightType type, Action<int> written)
    {
        var values = Array.Empty<float>();
        return new StreamedTensor(layout.Name, type, layout.Shape, (first, into) =>
        {
            var count = into.Length / type.Size();
            values = values.Length >= count ? values : new float[count];
            from.Read(layout.Name, first / type.Size(), values.AsSpan(0, count));
            type.Narrow(values.AsSpan(0, count), into);
            CheckRange(layout.Name, type, values.AsSpan(0, count), into);
            written(into.Length);
        });
    }

    /// <summary>A finite value that the type holds as infinity would ruin the model.</summary>
    private static void CheckRange(string tensor, WeightType type, ReadOnlySpan<float> values, ReadOnlySpan<byte> narrowed)
    {
        if (type == WeightType.F32)
        {
            return;
        }

        Span<float> back = stackalloc float[256];
        for (var at = 0; at < values.Length; at += back.Length)
        {
            var count = Math.Min(back.Length, values.Length - at);
            type.Widen(narrowed.Slice(at * type.Size(), count * type.Size()), back[..count]);
            for (var i = 0; i < count; i++)
            {
                if (float.IsInfinity(back[i]) && float.IsFinite(values[at + i]))
                {
                    throw new CheckpointException($"{tensor} holds {values[at + i]:R}, which is outside the range of {type}; export it as fp32{(type == WeightType.F16 ? " or bf16" : "")}");
                }
            }
        }
    }

    private static List<List<StreamedTensor>> Divide(List<StreamedTensor> tensors, long maxShardBytes)
    {
        var files = new List<List<StreamedTensor>> { new() };
        var bytes = 0L;
        foreach (var tensor in tensors)
        {
            if (files[^1].Count > 0 && bytes + tensor.Bytes > maxShardBytes)
            {
                files.Add([]);
                bytes = 0;
            }

            files[^1].Add(tensor);
            bytes += tensor.Bytes;
        }

        return files;
    }
}
