using System.Data.Common;

namespace Phi.Telemetry.Store;

/// <summary>Statements of either database, with named parameters.</summary>
internal static class DbStatements
{
    public static DbCommand Statement(this DbConnection connection, DbTransaction? transaction, string sql)
    {
        var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (sql, transaction);
        return command;
    }

    /// <summary>Gives the parameters their values; a command that is used again gets the same ones in the same order.</summary>
    public static DbCommand With(this DbCommand command, params ReadOnlySpan<(string Name, object Value)> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (i == command.Parameters.Count)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = values[i].Name;
                command.Parameters.Add(parameter);
            }

            command.Parameters[i].Value = values[i].Value;
        }

        return command;
    }
}
