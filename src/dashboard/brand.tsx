// The mark and the name: a wave below the line that it must not reach.

export function Brand() {
  return (
    <p class="brand">
      <svg viewBox="0 0 32 20" aria-hidden="true">
        <path class="mark-line" d="M2 4h28" />
        <path class="wave" d="M2 14c3.500-4.200 6.200-4.200 9.300 0s5.800 4.200 9.300 0s5.800-4.200 9.300 0" />
      </svg>
      Highwater
    </p>
  );
}
