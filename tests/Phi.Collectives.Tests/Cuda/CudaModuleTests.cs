using System.Runtime.InteropServices;
using System.Text;
using Phi.Collectives.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Cuda;

/// <summary>Kernels from source to launch, and the folder of their images.</summary>
[Collection(GpuStandIn.Name)]
public sealed class CudaModuleTests : IDisposable
{
    private const string Scale = """
        struct Arguments { float* values; long long count; float factor; };
        extern "C" __global__ void scale(const Arguments a) {
            const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
            if (i < a.count) a.values[i] = a.values[i] * a.factor + BIAS;
        }
        extern "C" __global__ void warp_sum(float* const* values) {
            float sum = (*values)[threadIdx.x];
            for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, distance);
            __shared__ float warps[2];
            if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
            __syncthreads();
            (*values)[threadIdx.x] = warps[0] + warps[1];
        }
        extern "C" __global__ void half_a_warp_meets(float* const* values) {
            if (threadIdx.x < 16) (*values)[0] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
        }
        """;

    private readonly CudaContext _context = GpuStandIn.Open();
    private readonly string _folder = Directory.CreateTempSubdirectory("phi-images-").FullName;
    private readonly nint _memory;

    public CudaModuleTests() => Check(CudaDriver.MemAlloc(out _memory, 4096));

    public void Dispose()
    {
        // An asynchronous test may end on another thread than it began on.
        _context.MakeCurrent();
        Check(CudaDriver.MemFree(_memory));
        _context.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string[] Images => Directory.GetFiles(_folder, "*.cubin*").Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)).ToArray();

    [Fact]
    public unsafe void Launch_OfAKernel_RunsItOverTheGridWithItsArguments()
    {
        using var module = CudaModule.Load(Program("BIAS=1"), new CudaImageCache(_folder));
        var values = new Span<float>((void*)_memory, 1000);
        values.Fill(2);

        module.Kernel("scale").Launch(4, 256, new ScaleArguments(_memory, 999, 3));

        Assert.All(values[..999].ToArray(), value => Assert.Equal(7, value));
        Assert.Equal(2, values[999]);
    }

    [Fact]
    public unsafe void Launch_InAStream_TakesTheArgumentsOfItsTime()
    {
        using var module = CudaModule.Load(Program("BIAS=0"), new CudaImageCache(_folder));
        using var stream = new CudaStream();
        *(float*)_memory = 2;
        var arguments = new ScaleArguments(_memory, 1, 3);
        using (StandInDriver.Hold(stream.Handle))
        {
            var launcher = new Thread(() =>
            {
                _context.MakeCurrent();
                stream.MakeCurrent();
                module.Kernel("scale").Launch(1, 32, arguments);
            });
            launcher.Start();
            launcher.Join();
            Assert.Equal(2, *(float*)_memory);
        }

        Check(CudaDriver.StreamSynchronize(stream.Handle));
        Assert.Equal(6, *(float*)_memory);
    }

    [Fact]
    public unsafe void Launch_LanesThatMeet_GetEachOthersValues()
    {
        using var module = CudaModule.Load(Program("BIAS=0"), new CudaImageCache(_folder));
        var values = new Span<float>((void*)_memory, 64);
        for (var i = 0; i < 64; i++)
        {
            values[i] = i;
        }

        module.Kernel("warp_sum").Launch(1, 64, Pointer(_memory));

        Assert.All(values.ToArray(), value => Assert.Equal(63 * 64 / 2, value));
    }

    [Fact]
    public void Launch_LanesThatNeverMeet_IsAnErrorAndNotAHang()
    {
        using var module = CudaModule.Load(Program("BIAS=0"), new CudaImageCache(_folder));

        var error = Assert.Throws<CudaException>(() => module.Kernel("half_a_warp_meets").Launch(1, 32, Pointer(_memory)));

        Assert.Contains("CUDA_ERROR_LAUNCH_FAILED", error.Message, StringComparison.Ordinal);
        Assert.Contains("half_a_warp_meets", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WrongSource_GivesTheCompilersLog()
    {
        var program = new CudaProgram("wrong.cu", "extern \"C\" __global__ void f() {\n  no_such_function();\n}\n", [], "sm_80");

        var error = Assert.Throws<CudaException>(() => CudaModule.Load(program, new CudaImageCache(_folder)));

        Assert.Contains("wrong.cu:2", error.Message, StringComparison.Ordinal);
        Assert.Contains("no_such_function", error.Message, StringComparison.Ordinal);
        Assert.Empty(Images);
    }

    [Fact]
    public void Kernel_ThatIsNotThere_IsNamed()
    {
        using var module = CudaModule.Load(Program("BIAS=0"), new CudaImageCache(_folder));

        Assert.Contains("no_such_kernel", Assert.Throws<CudaException>(() => module.Kernel("no_such_kernel")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Again_TakesTheImageFromTheFolder()
    {
        CudaModule.Load(Program("BIAS=2"), new CudaImageCache(_folder)).Dispose();
        var before = StandInCompiler.Compilations;

        CudaModule.Load(Program("BIAS=2"), new CudaImageCache(_folder)).Dispose();

        Assert.Equal(before, StandInCompiler.Compilations);
    }

    [Fact]
    public void Load_ByManyRanksAtOnce_CompilesOnce()
    {
        var before = StandInCompiler.Compilations;
        var failures = new List<Exception>();
        var ranks = Enumerable.Range(0, 8).Select(rank => new Thread(() =>
        {
            try
            {
                using var context = GpuStandIn.Open(rank);
                CudaModule.Load(Program("BIAS=5"), new CudaImageCache(_folder)).Dispose();
            }
            catch (CudaException e)
            {
                lock (failures)
                {
                    failures.Add(e);
                }
            }
        })).ToList();

        ranks.ForEach(rank => rank.Start());
        ranks.ForEach(rank => rank.Join());

        Assert.Empty(failures);
        Assert.Equal(before + 1, StandInCompiler.Compilations);
        Assert.Single(Images);
    }

    [Fact]
    public void Digest_OfAnotherArchitectureDefineOrSource_IsAnother()
    {
        var program = Program("BIAS=0");
        CudaProgram[] others = [program with { Architecture = "sm_90" }, program with { Defines = ["BIAS=1"] }, program with { Source = Scale + " " }];

        Assert.Equal(4, others.Append(program).Select(other => other.Digest()).Distinct().Count());
    }

    [Fact]
    public void Load_CutOffImage_CompilesAgain()
    {
        CudaModule.Load(Program("BIAS=3"), new CudaImageCache(_folder)).Dispose();
        var file = Assert.Single(Images);
        var whole = File.ReadAllBytes(file);
        File.WriteAllBytes(file, whole[..^5]);

        CudaModule.Load(Program("BIAS=3"), new CudaImageCache(_folder)).Dispose();

        Assert.Equal(whole, File.ReadAllBytes(file));
    }

    [Fact]
    public void Load_ImageThatTheDriverRefuses_CompilesAgain()
    {
        var cache = new CudaImageCache(_folder);
        var digest = Program("BIAS=4").Digest();
        cache.Write(digest, Encoding.ASCII.GetBytes("an image of another machine\0"));

        CudaModule.Load(Program("BIAS=4"), cache).Dispose();

        Assert.DoesNotContain("another machine", Encoding.ASCII.GetString(cache.Read(digest)!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_ByManyAtOnce_LeavesOneWholeImageAndReadersNeverSeePart()
    {
        var images = Enumerable.Range(0, 8).Select(i => Enumerable.Repeat((byte)i, 100_000 + i).ToArray()).ToArray();
        new CudaImageCache(_folder).Write("x", images[0]);

        await Parallel.ForEachAsync(images, async (image, cancel) =>
        {
            await Task.Yield();
            for (var turn = 0; turn < 20; turn++)
            {
                var cache = new CudaImageCache(_folder);
                cache.Write("x", image);
                var read = cache.Read("x");
                Assert.NotNull(read);
                Assert.Equal(images[read[0]], read);
            }
        });

        Assert.Single(Images);
    }

    private static CudaProgram Program(params string[] defines) => new("scale.cu", Scale, defines, "sm_80");

    /// <summary>Device memory that holds the address, behind the values.</summary>
    private static unsafe nint Pointer(nint values)
    {
        var holder = values + 2048;
        *(nint*)holder = values;
        return holder;
    }

    private static void Check(int result) => Assert.Equal(CudaDriver.Success, result);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ScaleArguments(nint Values, long Count, float Factor);
}
