using System.Text.Json;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Weights;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>The weights of a folder of transformers' PhiForCausalLM: <c>config.json</c>, and one safetensors file or several with an index.</summary>
public sealed class HuggingFaceWeights : IModelWeights
{
    internal const string SingleFile = "model.safetensors";
    internal const string IndexFile = "model.safetensors.index.json";
    private readonly Dictionary<string, (FileStream Stream, string File, long Start, WeightType Type)> _tensors = [];
    private readonly List<FileStream> _files = [];
    private byte[] _bytes = [];

    private HuggingFaceWeights(string folder, ModelConfiguration model) => (Location, Model) = (folder, model);

    public ModelConfiguration Model { get; }

    public string Location { get; }

    public byte[]? TryReadFile(string name) => File.Exists(Path.Combine(Location, name)) ? File.ReadAllBytes(Path.Combine(Location, name)) : null;

    /// <summary>Checks every field, name, shape and type before a value is read.</summary>
    /// <exception cref="ModelFolderException">The folder is no phi model, or one that this version cannot represent.</exception>
    /// <exception cref="CheckpointException">A file is cut off or damaged.</exception>
    public static HuggingFaceWeights Open(string folder)
    {
        var problems = new List<ValidationError>();
        using var config = ReadJson(Path.Combine(folder, PhiConfig.FileName), problems);
        var model = config is null ? null : PhiConfig.Read(config.RootElement, problems);
        // Without the dimensions the tensors cannot be checked; any model serves to hold the open files.
        var weights = new HuggingFaceWeights(Path.GetFullPath(folder), model ?? ModelConfiguration.PhiTiny);
        try
        {
            var found = weights.OpenFiles(problems);
            if (model is not null)
            {
                weights.CheckTensors(found, problems);
            }

            return problems.Count == 0 ? weights : throw new ModelFolderException(folder, problems);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public void Read(string tensor, long first, Span<float> into)
    {
        var (stream, file, start, type) = _tensors[tensor];
        var count = into.Length * type.Size();
        _bytes = _bytes.Length >= count ? _bytes : new byte[count];
        stream.Position = start + first * type.Size();
        stream.ReadExactly(_bytes, 0, count);
        type.Widen(_bytes.AsSpan(0, count), into);
        for (var i = 0; i < into.Length; i++)
        {
            if (!float.IsFinite(into[i]))
            {
                throw new CheckpointException($"{file}: {tensor} holds {into[i]} at element {first + i}; nothing can be trained or sampled from it. Import weights that are finite.");
            }
        }
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    /// <summary>The header's entry of each tensor, with the file that holds it.</summary>
    private Dictionary<string, (FileStream Stream, long DataStart, SafetensorsEntry Entry)> OpenFiles(List<ValidationError> problems)
    {
        var found = new Dictionary<string, (FileStream, long, SafetensorsEntry)>(StringComparer.Ordinal);
        foreach (var (file, promised) in Files(problems))
        {
            FileStream stream;
            try
            {
                stream = File.OpenRead(Path.Combine(Location, file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add(new ValidationError(file, "missing", $"cannot be read: {e.Message}", "copy the whole folder again"));
                continue;
            }

            _files.Add(stream);
            var header = SafetensorsHeader.Read((_, into) => stream.ReadExactly(into), stream.Length, stream.Name);
            foreach (var name in promised.Where(name => !header.Tensors.ContainsKey(name)))
            {
                problems.Add(new ValidationError(name, "missing", $"{IndexFile} says that {file} holds it", "copy the whole folder again"));
            }

            foreach (var entry in header.Tensors.Values.Where(entry => !found.TryAdd(entry.Name, (stream, header.DataStart, entry))))
            {
                problems.Add(new ValidationError(entry.Name, file, "is in another file already", "copy the whole folder again"));
            }
        }

        return found;
    }

    /// <summary>Names of the files, each with the tensors that the index promises of it.</summary>
    private IReadOnlyList<(string File, IReadOnlyList<string> Promised)> Files(List<ValidationError> problems)
    {
        if (File.Exists(Path.Combine(Location, SingleFile)))
        {
            return [(SingleFile, [])];
        }

        if (!File.Exists(Path.Combine(Location, IndexFile)))
        {
            problems.Add(new ValidationError(SingleFile, "missing", "the folder holds neither it nor " + IndexFile, "save the model with safe_serialization"));
            return [];
        }

        using var index = ReadJson(Path.Combine(Location, IndexFile), problems);
        if (index is null || !index.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
        {
            problems.Add(new ValidationError($"{IndexFile} weight_map", "missing", "is required", "save the model again with transformers"));
            return [];
        }

        var files = map.EnumerateObject().GroupBy(tensor => tensor.Value.ToString(), tensor => tensor.Name, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToLookup(group => Path.GetFileName(group.Key) == group.Key && group.Key.Length > 0);
        problems.AddRange(files[false].Select(file => new ValidationError($"{IndexFile} weight_map", file.Key, "must be the name of a file in the folder", "save the model again with transformers")));
        return [.. files[true].Select(file => (file.Key, (IReadOnlyList<string>)[.. file]))];
    }

    private void CheckTensors(Dictionary<string, (FileStream Stream, long DataStart, SafetensorsEntry Entry)> found, List<ValidationError> problems)
    {
        if (found.Count == 0)
        {
            return;
        }

        foreach (var layout in UnitLayout.Of(Model).SelectMany(unit => unit.Tensors))
        {
            if (!found.Remove(layout.Name, out var tensor))
            {
                problems.Add(new ValidationError(layout.Name, "missing", $"is required of a model with the dimensions of {PhiConfig.FileName}", "import the whole model"));
            }
            else if (!tensor.Entry.Shape.SequenceEqual(layout.Shape))
            {
                problems.Add(new ValidationError(layout.Name, Text(tensor.Entry.Shape), $"must have the shape {Text(layout.Shape)} by {PhiConfig.FileName}", "import weights and configuration of the same model"));
            }
            else if (!WeightTypes.TryParse(tensor.Entry.Type, out var type))
            {
                problems.Add(new ValidationError(layout.Name, tensor.Entry.Type, "must be F32, F16 or BF16", "save the model in float32, float16 or bfloat16"));
            }
            else
            {
                _tensors[layout.Name] = (tensor.Stream, tensor.Stream.Name, tensor.DataStart + tensor.Entry.Start, type);
            }
        }

        problems.AddRange(found.Values.Select(extra => new ValidationError(extra.Entry.Name, Text(extra.Entry.Shape), "is no tensor of a phi model with these dimensions", "remove it, or import a model that has none")));
    }

    private static JsonDocument? ReadJson(string path, List<ValidationError> problems)
    {
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
            problems.Add(new ValidationError(Path.GetFileName(path), "no object", "must be a JSON object", "save the model again with transformers"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            problems.Add(new ValidationError(Path.GetFileName(path), File.Exists(path) ? "damaged" : "missing", $"cannot be read: {e.Message}", "name the folder that save_pretrained wrote"));
        }

        return null;
    }

    private static string Text(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";
}
