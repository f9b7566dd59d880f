using Parquet;
using Parquet.Schema;

namespace Phi.Data.Sources;

/// <summary>The facts of the rows of a Parquet file, from whichever of the columns it has. One that cannot be read says nothing.</summary>
internal sealed class ParquetRecordFacts(IReadOnlyList<DataField> fields, string textField)
{
    /// <summary>A list of more names than this a row, on average, is none of licences; a damaged file asks for no more memory.</summary>
    private const int MostPerRow = 64;

    private readonly DataField? _path = Find(fields, RecordFacts.PathFields, textField, isList: false);
    private readonly DataField? _language = Find(fields, RecordFacts.LanguageFields, textField, isList: false);
    private readonly DataField? _licenses = Find(fields, RecordFacts.LicenseFields, textField, isList: true);

    /// <returns>One a row.</returns>
    public async Task<RecordFacts[]> ReadAsync(ParquetRowGroupReader group, int rows, CancellationToken cancellationToken)
    {
        var (paths, languages, licenses) = (await NamesAsync(_path, group, rows, cancellationToken), await NamesAsync(_language, group, rows, cancellationToken), await NamesAsync(_licenses, group, rows, cancellationToken));
        return [.. Enumerable.Range(0, rows).Select(row => new RecordFacts(true, paths?[row]?[0], languages?[row]?[0], licenses?[row] ?? []))];
    }

    private static DataField? Find(IReadOnlyList<DataField> fields, IReadOnlyList<string> names, string textField, bool isList) => names
        .Where(name => name != textField)
        .Select(name => fields.FirstOrDefault(field => field.ClrType == typeof(ReadOnlyMemory<char>) && (field.Path.ToString() == name && field.MaxRepetitionLevel == 0 || isList && field.Path.FirstPart == name && field.MaxRepetitionLevel == 1)))
        .FirstOrDefault(field => field is not null);

    /// <returns>Null: the column is not there or cannot be read; a row of no names is null.</returns>
    private static async Task<List<string>?[]?> NamesAsync(DataField? field, ParquetRowGroupReader group, int rows, CancellationToken cancellationToken)
    {
        if (field is null || group.GetMetadata(field)?.MetaData?.NumValues is not { } count || count < 0 || count > MostPerRow * (long)rows)
        {
            return null;
        }

        var (values, present, repeated) = (new ReadOnlyMemory<char>[count], new int[count], new int[count]);
        try
        {
            // A null array would be an empty buffer, not none.
            var (levels, repetitions) = (field.MaxDefinitionLevel > 0 ? present : (Memory<int>?)null, field.MaxRepetitionLevel > 0 ? repeated : (Memory<int>?)null);
            await group.ReadRawAsync<ReadOnlyMemory<char>>(field, values, levels, repetitions, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The library has no exception of its own for what a damaged column makes of it. The text has its own check.
            return null;
        }

        var names = new List<string>?[rows];
        var (row, value) = (-1, 0);
        for (var i = 0; i < count; i++)
        {
            row += repeated[i] == 0 ? 1 : 0;
            if (row >= rows || row < 0)
            {
                return null;
            }

            if (present[i] == field.MaxDefinitionLevel && RecordFacts.Clean(values[value++].Span) is { } name)
            {
                (names[row] ??= []).Add(name);
            }
        }

        return names;
    }
}
