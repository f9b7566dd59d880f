using System.Diagnostics;

namespace Phi.Trainer.Tests;

/// <summary><c>phi-trainer sample</c> as a process: how it takes its arguments.</summary>
public sealed class SampleCommandTests
{
    [Theory]
    [InlineData(2, "many", "sample", "--tokens", "many")]
    [InlineData(2, "--words", "sample", "--words", "3")]
    [InlineData(7, "is no folder", "sample", "--checkpoint", "/nowhere", "--prompt", "@property")]
    public async Task Sample_WhatCannotBe_EndsWithTheCodeOfItsKind(int code, string expected, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "phi-trainer"), arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(code, process.ExitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Empty(await output);
    }
}
