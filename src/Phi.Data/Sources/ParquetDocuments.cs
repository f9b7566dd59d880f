using System.Runtime.CompilerServices;
using System.Text;
using Parquet;
using Parquet.Schema;

namespace Phi.Data.Sources;

/// <summary>Each row's text column is a document, read row group by row group. Nulls and empty texts are left out.</summary>
internal static class ParquetDocuments
{
    /// <exception cref="DataException">The file is no Parquet, or has no such column of text.</exception>
    public static async IAsyncEnumerable<SourceDocument> ReadAsync(Stream stream, string path, string textField, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var reader = await GuardAsync(() => ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken), $"{path} is no Parquet file");
        var fields = reader.Schema.GetDataFields();
        var field = Array.Find(fields, field => field.Path.ToString() == textField && field.MaxRepetitionLevel == 0 && (field.ClrType == typeof(ReadOnlyMemory<char>) || IsBytes(field)))
            ?? throw new DataException($"{path} has no column of text '{textField}', but {string.Join(", ", fields.Select(field => field.Path.ToString()))}. Name the one that holds the text (--text-field).");
        var (facts, number) = (new ParquetRecordFacts(fields, textField), 0L);
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            foreach (var (text, said) in await GuardAsync(() => GroupAsync(reader, group, field, facts, cancellationToken), $"{path} row group {group} cannot be read"))
            {
                number++;
                if (text is { Length: > 0 })
                {
                    yield return new SourceDocument(text, path, number, said);
                }
            }
        }
    }

    private static async Task<IEnumerable<(byte[]? Text, RecordFacts Facts)>> GroupAsync(ParquetReader reader, int index, DataField field, ParquetRecordFacts facts, CancellationToken cancellationToken)
    {
        using var group = reader.OpenRowGroupReader(index);
        var rows = checked((int)group.RowCount);
        if (IsBytes(field))
        {
            var values = new byte[]?[rows];
            await group.ReadAsync(field, values.AsMemory()!, null, cancellationToken);
            return values.Zip(await facts.ReadAsync(group, rows, cancellationToken));
        }

        var texts = new string?[rows];
        await group.ReadAsync(field, texts.AsMemory()!, null, cancellationToken);
        return texts.Select(text => text is null ? null : Encoding.UTF8.GetBytes(text)).Zip(await facts.ReadAsync(group, rows, cancellationToken));
    }

    private static bool IsBytes(DataField field) => field.ClrType == typeof(ReadOnlyMemory<byte>);

    /// <summary>The library has no exception of its own for what a damaged file makes of it.</summary>
    private static async Task<T> GuardAsync<T>(Func<Task<T>> read, string problem)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new DataException($"{problem}: {e.Message.TrimEnd('.')}. Replace the file, or leave it out of the sources.");
        }
    }
}
