<#
.SYNOPSIS
  The twin of build.sh for Windows: .\build.ps1 lib | run | test | install DIR | clean | help
.DESCRIPTION
  Needs the .NET 10 SDK, and the C++ build tools of Visual Studio in the environment (a developer
  prompt) for the ahead-of-time compiler and for the C programs. The C tests, the benchmarks and the
  bindings are run by build.sh.
#>
param(
    [Parameter(Position = 0)] [string] $Command = 'help',
    [Parameter(Position = 1)] [string] $Prefix = ''
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot
$out = Join-Path $root 'out'
$lib = Join-Path $out 'lib'
$architecture = if ([Runtime.InteropServices.RuntimeInformation]::OSArchitecture -eq 'Arm64') { 'arm64' } else { 'x64' }
$rid = "win-$architecture"
$version = ([xml](Get-Content (Join-Path $root 'Directory.Build.props'))).SelectSingleNode('//Version').InnerText
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'
$env:DOTNET_CLI_USE_MSBUILD_SERVER = '0'
$env:MSBUILDDISABLENODEREUSE = '1'
$env:UseSharedCompilation = 'false'

function Invoke-Checked([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with exit code $LASTEXITCODE" }
}

function Assert-Tools {
    $sdks = if (Get-Command dotnet -ErrorAction SilentlyContinue) { dotnet --list-sdks } else { @() }
    if (-not ($sdks | Where-Object { $_ -like '10.*' })) {
        throw 'missing: the .NET 10 SDK. Install it from https://dotnet.microsoft.com/download and try again.'
    }
    if (-not (Get-Command cl -ErrorAction SilentlyContinue)) {
        throw 'missing: the C++ build tools. Install "Desktop development with C++" and use a developer prompt.'
    }
}

function Build-Library {
    Assert-Tools
    Write-Output "building sessions.dll for $rid"
    $published = Join-Path $out 'publish'
    Invoke-Checked dotnet @('publish', (Join-Path $root 'src/Sessions.Native'), '-c', 'Release', '-r', $rid,
        '-o', $published, '-v', 'q', '-nodeReuse:false')
    New-Item -ItemType Directory -Force $lib | Out-Null
    $native = Join-Path $root "src/Sessions.Native/bin/Release/net10.0/$rid/native"
    Copy-Item (Join-Path $published 'sessions.dll') $lib -Force
    # The linker leaves the import library beside its own output.
    Get-ChildItem $native -Filter '*.lib' | Select-Object -First 1 |
        Copy-Item -Destination (Join-Path $lib 'sessions.lib') -Force
    Write-Output "$((Get-Item (Join-Path $lib 'sessions.dll')).Length) bytes: out/lib/sessions.dll"
}

function Invoke-Quickstart {
    Build-Library
    $folder = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
    New-Item -ItemType Directory $folder | Out-Null
    try {
        Push-Location $folder
        Invoke-Checked cl @('/nologo', '/std:c11', "/I$root/include", "$root/examples/c/quickstart.c",
            '/Fe:quickstart.exe', '/link', (Join-Path $lib 'sessions.lib'))
        Copy-Item (Join-Path $lib 'sessions.dll') $folder
        Invoke-Checked (Join-Path $folder 'quickstart.exe') @((Join-Path $folder 'store'))
    }
    finally {
        Pop-Location
        Remove-Item -Recurse -Force $folder
    }
}

function Invoke-Tests {
    Build-Library
    $env:SESSIONS_LIBRARY = Join-Path $lib 'sessions.dll'
    $passed = 0
    $failed = 0
    New-Item -ItemType Directory -Force (Join-Path $out 'test') | Out-Null
    foreach ($name in 'Sessions.Tests', 'Sessions.Native.Tests') {
        $report = Join-Path $out "test/$name.xml"
        if (Test-Path $report) { Remove-Item $report }
        Invoke-Checked dotnet @('build', (Join-Path $root "tests/$name"), '-c', 'Debug', '-v', 'q', '-nodeReuse:false')
        & (Join-Path $root "tests/$name/bin/Debug/net10.0/$name.exe") -noLogo -xml $report
        $status = $LASTEXITCODE
        $ran = 0
        $broken = 0
        if (Test-Path $report) {
            foreach ($assembly in ([xml](Get-Content $report)).SelectNodes('//assembly')) {
                $ran += [int]$assembly.passed
                $broken += [int]$assembly.failed + [int]$assembly.errors
            }
        }
        if ($ran + $broken -eq 0 -or ($status -ne 0 -and $broken -eq 0)) { $broken = 1 }
        $passed += $ran
        $failed += $broken
    }
    Write-Output "$passed passed, $failed failed"
    if ($failed -ne 0) { exit 1 }
}

function Install-Library {
    if (-not $Prefix) { throw 'usage: .\build.ps1 install DIR' }
    Build-Library
    foreach ($folder in 'bin', 'lib/cmake/sessions', 'include') {
        New-Item -ItemType Directory -Force (Join-Path $Prefix $folder) | Out-Null
    }
    Copy-Item (Join-Path $lib 'sessions.dll') (Join-Path $Prefix 'bin') -Force
    Copy-Item (Join-Path $lib 'sessions.lib') (Join-Path $Prefix 'lib') -Force
    Copy-Item (Join-Path $root 'include/*') (Join-Path $Prefix 'include') -Recurse -Force
    $config = (Get-Content -Raw (Join-Path $root 'packaging/sessionsConfig.cmake.in')).
        Replace('/lib/@FILE@"', "/bin/sessions.dll`"`n    IMPORTED_IMPLIB `"`${_sessions_prefix}/lib/sessions.lib`"").
        Replace("    IMPORTED_SONAME `"@SONAME@`"`n", '')
    Set-Content (Join-Path $Prefix 'lib/cmake/sessions/sessionsConfig.cmake') $config
    $config = (Get-Content -Raw (Join-Path $root 'packaging/sessionsConfigVersion.cmake.in')).
        Replace('@VERSION@', $version)
    Set-Content (Join-Path $Prefix 'lib/cmake/sessions/sessionsConfigVersion.cmake') $config
}

switch ($Command) {
    'lib' { Build-Library }
    'run' { Invoke-Quickstart }
    'test' { Invoke-Tests }
    'install' { Install-Library }
    'clean' { if (Test-Path $out) { Remove-Item -Recurse -Force $out } }
    'help' { Get-Help $PSCommandPath -Detailed }
    default { throw "no command '$Command'; see .\build.ps1 help" }
}
