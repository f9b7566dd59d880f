using System.CommandLine;
using System.CommandLine.Invocation;
using Phi.Cli;
using Phi.Cli.Completion;

try
{
    if (args is [CompletionScripts.Complete, .. var words])
    {
        await CompletionAnswer.WriteAsync(words, Console.Out);
        return ExitCodes.Succeeded;
    }

    // A prompt may begin with '@', which would name a file of arguments.
    var parse = CommandCatalog.Root(args.FirstOrDefault()).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    // Help that is asked for is no error, whatever else is missing.
    if (parse.Action is ParseErrorAction problem)
    {
        problem.ShowHelp = false;
        await parse.InvokeAsync(new InvocationConfiguration { Output = Console.Error });
        await Console.Error.WriteLineAsync($"{CommandPath.Of(parse)} --help says more.");
        return ExitCodes.Usage;
    }

    return await parse.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });
}
catch (CliException e)
{
    await Console.Error.WriteLineAsync($"phi: {e.Message}");
    return e.ExitCode;
}
catch (OperationCanceledException)
{
    return ExitCodes.Interrupted;
}
catch (Exception e) when (KnownErrors.IsUsage(e))
{
    await Console.Error.WriteLineAsync($"phi: {e.Message}");
    return ExitCodes.Usage;
}
catch (Exception e)
{
    // All of it: whoever reads this reports it. Of phi diff the code 1 says something else.
    await Console.Error.WriteLineAsync($"phi: unexpected: {e}");
    return args.FirstOrDefault() == "diff" ? ExitCodes.Usage : ExitCodes.Error;
}
