using Prometheus;

namespace Phi.Operator.Metrics;

/// <summary>What one work queue counts.</summary>
internal sealed class WorkQueueMetrics
{
    private static readonly double[] Buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

    public WorkQueueMetrics(OperatorMetrics metrics, string controller)
    {
        Depth = metrics.Factory.CreateGauge("phi_workqueue_depth", "Keys that wait for a worker.", ["controller"]).WithLabels(controller);
        Retries = metrics.Factory.CreateCounter("phi_workqueue_retries_total", "Keys put back after a failure.", ["controller"]).WithLabels(controller);
        Latency = metrics.Factory.CreateHistogram("phi_workqueue_latency_seconds", "From a key's arrival until a worker took it.", ["controller"], new HistogramConfiguration { Buckets = Buckets }).WithLabels(controller);
    }

    public Gauge.Child Depth { get; }

    public Counter.Child Retries { get; }

    public Histogram.Child Latency { get; }
}
