using Phi.Dashboard.Components.Controls;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Tests;

public sealed class ChartStateTests
{
    private const string Page = "http://localhost/jobs/default/job";

    [Theory]
    [InlineData("", "")]
    [InlineData("?metric=grad_norm&x=tokens&from=1000&to=2500.5&smooth=0.6&logx=1&logy=1&view=table", "?metric=grad_norm&x=tokens&from=1000&to=2500.5&smooth=0.6&logx=1&logy=1&view=table")]
    [InlineData("?runs=a,b&metric=loss&x=step", "?runs=a,b")]
    [InlineData("?x=moon&from=abc&to=NaN&smooth=7&logx=2", "?smooth=0.99")]
    public void Write_WhatWasRead_IsTheSameAddress(string query, string expected) => Assert.Equal(Page + expected, ChartState.Read(Page + query).Write(Page + query));

    [Fact]
    public void Read_AnAddress_HasItsState() =>
        Assert.Equal(
            new ChartState { Metric = "tokens_per_second", Axis = SeriesAxis.Training, From = 2, To = 30.5, Smoothing = 0.5, LogY = true },
            ChartState.Read(Page + "?metric=tokens_per_second&x=training&from=2&to=30.5&smooth=0.5&logy=1"));
}
